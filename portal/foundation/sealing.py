"""Secrets that the database keeps: sealed, or hashed, with keys derived from SECRET_KEY."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app


def _key(purpose: str) -> bytes:
    """Return 32 bytes for one purpose alone, so that no key serves two."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"guildhall.{purpose}".encode())
    return derive.derive(current_app.config["SECRET_KEY"].encode())


def seal(text: str, *, purpose: str) -> str:
    """Return `text` encrypted and authenticated; `unseal` with the same purpose opens it."""
    return Fernet(urlsafe_b64encode(_key(purpose))).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Return the text that was sealed.

    Refuses (ValueError) what was sealed with another SECRET_KEY or for another purpose.
    """
    try:
        return Fernet(urlsafe_b64encode(_key(purpose))).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ValueError("this was sealed with another key") from None


def keyed_hash(text: str, *, purpose: str) -> str:
    """Return 64 hexadecimal digits that nobody can compute or guess from without SECRET_KEY."""
    return hmac.new(_key(purpose), text.encode(), hashlib.sha256).hexdigest()
