"""One-time codes of an authenticator app (TOTP, RFC 6238), the QR code for such an app, and recovery codes. No rows."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import pyotp
import segno

STEP_SECONDS = 30
WINDOW = 1  # steps that the clock of a phone may be off, in both directions
SECRET_BYTES = 20  # as RFC 4226 §4 recommends
QUIET_ZONE = 4  # modules around a QR code (ISO/IEC 18004)
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10  # 80 bits: a hash of it cannot be searched, so a slow one would add nothing
_RECOVERY_CODE = re.compile(r"[a-z2-7]{16}")
_BETWEEN = re.compile(r"[\s-]+")


def new_salt() -> str:
    """A salt for a new secret: 128 random bits."""
    return secrets.token_hex(16)


def secret_of(server_secret: str, user_id: str, salt: str) -> str:
    """The secret of a user in base32. It is derived, so it is not stored; another SECRET_KEY makes another one."""
    key = hmac.digest(server_secret.encode(), b"foyer: second factor", "sha256")
    return base64.b32encode(hmac.digest(key, f"{user_id} {salt}".encode(), "sha256")[:SECRET_BYTES]).decode()


def uri(secret: str, *, account: str, issuer: str) -> str:
    """The address that an authenticator app takes: otpauth://totp/…"""
    without_colons = [" ".join(text.replace(":", " ").split()) for text in (account, issuer)]
    return pyotp.TOTP(secret).provisioning_uri(name=without_colons[0], issuer_name=without_colons[1])


def qr_path(text: str) -> tuple[str, int]:
    """A QR code of the text: the path of its dark modules for an SVG, and the width of the picture in modules."""
    code = segno.make(text, error="m", micro=False)
    runs = [
        f"M{first} {row}h{length}v1h-{length}z"
        for row, modules in enumerate(code.matrix, QUIET_ZONE)
        for first, length in _dark_runs(modules)
    ]
    return "".join(runs), len(code.matrix) + 2 * QUIET_ZONE


def _dark_runs(modules: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The dark runs of a row of modules: where each begins in the picture, and its length."""
    column = QUIET_ZONE
    for is_dark, run in groupby(modules):
        length = len(list(run))
        if is_dark:
            yield column, length
        column += length


def step_of(secret: str, code: str, *, at: float, after: int) -> int | None:
    """The time step of a valid code later than step `after`, so that no code works twice; None for another code.

    `at` is the time in seconds since 1970. A last step in the future was stored while the clock was wrong; it does not count.
    """
    digits = _BETWEEN.sub("", code)
    if not (digits.isascii() and digits.isdigit()):
        return None
    now, totp = int(at) // STEP_SECONDS, pyotp.TOTP(secret)
    earliest = max(now - WINDOW, after + 1 if after <= now + WINDOW else 0)
    steps = range(earliest, now + WINDOW + 1)
    return next((step for step in steps if hmac.compare_digest(totp.generate_otp(step), digits)), None)


def new_recovery_codes() -> list[str]:
    """Ten codes like `abcd-efgh-ijkl-mnop`."""
    return [_in_groups(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def recovery_hash(user_id: str, code: str) -> str:
    """The hash under which a user's recovery code is stored, however it is spelled; "" for what is no recovery code."""
    letters = _BETWEEN.sub("", code).lower()
    return _hashed(user_id, letters) if _RECOVERY_CODE.fullmatch(letters) else ""


def recovery_hashes(user_id: str, codes: Iterable[str]) -> list[str]:
    """The hashes of recovery codes."""
    return [recovery_hash(user_id, code) for code in codes]


def _in_groups(random: bytes) -> str:
    letters = base64.b32encode(random).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _hashed(user_id: str, letters: str) -> str:
    return hashlib.sha256(f"recovery code {user_id} {letters}".encode()).hexdigest()
