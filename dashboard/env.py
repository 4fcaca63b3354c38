"""Read the environment. A wrong value stops the start with a sentence that names the variable."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def env_text(name: str, default: str = "") -> str:
    """The variable without surrounding white space; `NAME_FILE` names a file that holds it."""
    value, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and file:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
    if file:
        return _read(name, Path(file))
    return default if value is None else value.strip()


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from error


def env_bool(name: str, *, default: bool) -> bool:
    """One of 1/0, true/false, yes/no, on/off."""
    text = env_text(name, "1" if default else "0").lower()
    if text not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name} is {text!r}. Use 1 or 0, true or false.")
    return text in _TRUE


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least `least`."""
    text = env_text(name, str(default))
    try:
        number = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}. Use a whole number.") from None
    if number < least:
        raise ImproperlyConfigured(f"{name} is {number}. It must be at least {least}.")
    return number


def env_list(name: str, default: str = "") -> list[str]:
    """Values separated by commas."""
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]


def env_url(name: str, default: str = "", *, schemes: tuple[str, ...] = ("https", "http")) -> str:
    """A base URL without a trailing slash, query or user name; empty when unset."""
    url = env_text(name, default).rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_fine = urlsplit(""), False
    if parts.scheme not in schemes or not parts.hostname or not port_is_fine:
        wanted = " or ".join(f"{scheme}://host" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} is {url!r}. Use {wanted}, with a port if needed.")
    if parts.query or parts.fragment or parts.username:
        raise ImproperlyConfigured(f"{name} is {url!r}. Leave out user name, query and fragment.")
    return url


def kept_secret(path: Path) -> str:
    """A random secret that is made on first use and kept in a file only its owner can read."""
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()
