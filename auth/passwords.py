"""Hashes passwords with Argon2id, checks them in constant time and refuses common ones."""

import threading
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import invalid_field

SHORTEST = 8
# The minimum of OWASP's password storage cheat sheet (19 MiB, 2 passes, 1 lane): the server must fit into 512 MB.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_at_once = threading.BoundedSemaphore(4)  # limits memory to 4 x 19 MiB

# The most common passwords of eight characters or more, without trailing digits (SecLists, NCSC).
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
def _dummy_hash() -> str:
    return _hasher.hash("nobody's password")


def hashed(password: str) -> str:
    """The hash to store. Takes about 20 ms and 19 MiB."""
    with _at_once:
        return _hasher.hash(password)


def matches(stored_hash: str, password: str) -> bool:
    """Whether the password has this hash. Takes as long when there is no hash ("")."""
    with _at_once:
        try:
            return _hasher.verify(stored_hash or _dummy_hash(), password) and bool(stored_hash)
        except (VerificationError, InvalidHashError):
            return False


def check(password: str, *, email: str = "", field: str = "password") -> str:
    """Returns the password if it is strong enough. Raises AppError 400."""
    if len(password) < SHORTEST:
        raise invalid_field(field, f"{field} must have at least {SHORTEST} characters. A few words make a good one.")
    folded = password.casefold()
    base = folded.rstrip("0123456789!.?#$*_-")
    if base in _WORST or folded in _WORST or folded == email.casefold() or len(set(folded)) < 4 or _is_sequence(folded):
        raise invalid_field(field, f"This {field} is too common. Choose another one, for example a few words.")
    return password


def _is_sequence(password: str) -> bool:
    """Whether the characters count up or down, like 12345678 or 87654321."""
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    return steps in ({1}, {-1}, {1, -9}, {-1, 9})
