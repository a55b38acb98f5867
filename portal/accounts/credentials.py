"""Passwords and codes: what is good enough, hashing, comparing; no database."""

import secrets
import unicodedata
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.foundation.errors import Refused
from portal.foundation.i18n import _l

# OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
DUMMY_HASH = HASHER.hash(secrets.token_urlsafe())
SHORTEST, LONGEST = 8, 128
RECOVERY_CODES = 10
# Letters and digits that are not mistaken for each other; ten of these 30 are 49 bits.
RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


def _normal(password: str) -> str:
    """Return the one form of a password that keyboards write in several ways."""
    return unicodedata.normalize("NFKC", password)


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """Return passwords that guessers try first, in lower case."""
    path = Path(__file__).with_name("common_passwords.txt")
    return frozenset(path.read_text("utf-8").split())


def check_password(password: str, *, email: str = "") -> None:
    """Refuse a password that is too short or long, common, or the address itself."""
    text = _normal(password)
    if len(text) < SHORTEST:
        raise Refused(_l("Use at least %(count)s characters.", count=SHORTEST), field="password")
    if len(text) > LONGEST:
        raise Refused(_l("Use at most %(count)s characters.", count=LONGEST), field="password")
    lowered = text.lower()
    address = email.strip().lower()
    if lowered in common_passwords() or len(set(lowered)) < 3:
        raise Refused(_l("Many people use this one. Choose another."), field="password")
    if address and lowered in {address, address.partition("@")[0]}:
        raise Refused(_l("This is your address. Choose another."), field="password")


def hash_password(password: str) -> str:
    """Return the Argon2id hash to store; takes tens of milliseconds by design."""
    return HASHER.hash(_normal(password))


def password_fits(stored: str | None, password: str) -> bool:
    """Return whether `password` made the hash `stored`; takes the same time when there is none."""
    try:
        HASHER.verify(stored or DUMMY_HASH, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Return whether the hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(stored)


def new_recovery_codes() -> list[str]:
    """Return ten fresh codes such as "k3f9a-72mxq"."""
    return [
        "-".join("".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(5)) for _ in range(2))
        for _ in range(RECOVERY_CODES)
    ]


def plain_code(code: str) -> str:
    """Return a typed code without spaces, dashes and capitals."""
    return "".join(letter for letter in code.lower() if letter.isascii() and letter.isalnum())
