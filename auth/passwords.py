"""Passwords: kept as Argon2id hashes, checked without telling by time whether there is one, refused when everybody's.

The only importer of argon2.
"""

import threading
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import invalid_field

SHORTEST = 8
# The least of OWASP's password storage cheat sheet (19 MiB, 2 passes, 1 lane): a desk must fit into 512 MB.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_at_once = threading.BoundedSemaphore(4)  # so many times 19 MiB at most, however many sign in

# The most used ones of eight characters and more, from published leaks (SecLists, NCSC), without digits at the end.
_WORST = frozenset(
    """
    password passw0rd p@ssw0rd p@ssword passwort motdepasse contrasena senha qwerty qwertz azerty qwertyuiop qwertyui
    asdfghjkl asdfghjk asdfasdf zxcvbnm iloveyou princess sunshine football baseball basketball superman batman trustno
    welcome letmein whatever computer internet michelle jennifer jessica charlie dragon monkey master shadow starwars
    pokemon liverpool chelsea arsenal abcdefgh abcabc abcd1234 aaaaaaaa asdf1234 qwer1234 q1w2e3r4 q1w2e3r4t5 1q2w3e4r
    1q2w3e4r5t 1qaz2wsx zaq12wsx qazwsxedc admin administrator changeme default secret secretsecret support helpdesk
    foyer foyerfoyer testtest test1234 guest user summer winter spring autumn januar
    """.split()
)


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody's password")


def hashed(password: str) -> str:
    """What is kept of a password. Takes about 20 ms and 19 MiB."""
    with _at_once:
        return _hasher.hash(password)


def matches(kept: str, password: str) -> bool:
    """Whether this is the password that was kept. Takes as long when there is none (`kept` is "")."""
    with _at_once:
        try:
            return _hasher.verify(kept or _nobodys(), password) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


def check(password: str, *, email: str = "", field: str = "password") -> str:
    """The password, if it is good enough. Raises AppError 400 with what is accepted."""
    if len(password) < SHORTEST:
        raise invalid_field(field, f"{field} must have at least {SHORTEST} characters. A few words make a good one.")
    plain = password.casefold()
    worn = plain.rstrip("0123456789!.?#$*_-")
    if worn in _WORST or plain in _WORST or plain == email.casefold() or len(set(plain)) < 4 or _counts(plain):
        raise invalid_field(
            field, f"This {field} is among the first that are tried. Take another, a few words perhaps."
        )
    return password


def _counts(password: str) -> bool:
    """Whether it runs up or down, like 12345678 or 87654321."""
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    return steps in ({1}, {-1}, {1, -9}, {-1, 9})
