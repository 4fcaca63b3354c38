"""Encrypt fal keys for the database.

The secrets that encrypt are `ENCRYPTION_KEYS`, or the lines of a file in DATA_DIR; the first one
encrypts, all decrypt. Each may be any long random text. What is encrypted names its team: a row that
is moved to another team in the database does not open there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from dashboard.env import kept_secret


class Undecryptable(Exception):
    """None of the secrets opens it, or it belongs to another team."""


def encrypt(secret: str, *, team_id: int) -> str:
    """Return the key as it is stored."""
    text = json.dumps({"team": team_id, "key": secret})
    return _fernet(secrets_now()).encrypt(text.encode()).decode("ascii")


def decrypt(stored: str, *, team_id: int) -> str:
    """Return the key. Raises Undecryptable."""
    return _opened(_fernet(secrets_now()), stored, team_id)


def rotated(stored: str) -> str:
    """Return the same, encrypted with the first secret. Raises Undecryptable."""
    try:
        return _fernet(secrets_now()).rotate(stored).decode("ascii")
    except InvalidToken:
        raise Undecryptable from None


def is_of_first(stored: str) -> bool:
    """Whether the first secret alone opens it."""
    try:
        _fernet(secrets_now()[:1]).decrypt(stored)
    except InvalidToken:
        return False
    return True


def secrets_now() -> list[str]:
    """Return the secrets, newest first. The file is read anew, so that a rotation needs no restart."""
    if settings.ENCRYPTION_KEYS:
        return list(settings.ENCRYPTION_KEYS)
    return kept_secret(place()).split()


def place() -> Path:
    """Return the file that holds the secrets when the environment has none."""
    return Path(settings.DATA_DIR) / "encryption_keys"


def write_secrets(secrets: list[str]) -> None:
    """Replace the file, as a whole; only its owner may read it."""
    descriptor, draft = tempfile.mkstemp(dir=place().parent)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(secrets) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(place())


def _opened(fernet: MultiFernet, stored: str, team_id: int) -> str:
    try:
        value = json.loads(fernet.decrypt(stored))
    except InvalidToken:
        raise Undecryptable from None
    if value["team"] != team_id:
        raise Undecryptable
    return str(value["key"])


def _fernet(secrets: list[str]) -> MultiFernet:
    return MultiFernet([Fernet(_fernet_key(secret)) for secret in secrets])


def _fernet_key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest())
