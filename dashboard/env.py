"""Read the environment. An invalid value stops the start with a sentence that names the variable."""

from __future__ import annotations

import ipaddress
import os
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from dj_database_url import DBConfig
from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def env_text(name: str, default: str = "") -> str:
    """Return the variable without surrounding white space; `NAME_FILE` names a file that holds it."""
    value, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and file:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
    if file:
        return _read(name, Path(file))
    return default if value is None else value.strip()


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from None


def env_bool(name: str, *, default: bool) -> bool:
    """Parse 1/0, true/false, yes/no or on/off."""
    text = env_text(name, "1" if default else "0").lower()
    if text not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name} is {text!r}. Use 1 or 0, true or false.")
    return text in _TRUE


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """Parse a whole number of at least `least`."""
    text = env_text(name, str(default))
    try:
        number = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}. Use a whole number.") from None
    if number < least:
        raise ImproperlyConfigured(f"{name} is {number}. It must be at least {least}.")
    return number


def env_list(name: str, default: str = "") -> list[str]:
    """Split values at commas."""
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]


def env_networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Parse addresses and ranges (CIDR), separated by commas."""
    try:
        return [ipaddress.ip_network(part, strict=False) for part in env_list(name)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} cannot be read: {error}. Use addresses or ranges, as 203.0.113.7 or 2001:db8::/48."
        ) from None


def env_url(name: str, default: str = "", *, schemes: tuple[str, ...] = ("https", "http")) -> str:
    """Parse a base URL without a trailing slash, query or user name; empty when unset."""
    url = env_text(name, default).rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_fine = urlsplit(""), False
    if "@" in parts.netloc:  # the value is not shown: it may contain a password
        raise ImproperlyConfigured(f"{name} holds a user name. Leave out user name and password.")
    odd = any(letter.isspace() or not letter.isprintable() for letter in url)
    if parts.scheme not in schemes or not parts.hostname or not port_is_fine or odd:
        wanted = " or ".join(f"{scheme}://host" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} is {url!r}. Use {wanted}, with a port if needed.")
    if parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} is {url!r}. Leave out query and fragment.")
    return url


def env_choice(name: str, default: str, choices: Iterable[str]) -> str:
    """Return one of some words, in capitals."""
    text = env_text(name, default).upper() or default
    if text not in choices:
        raise ImproperlyConfigured(f"{name} is {text!r}. Use one of {', '.join(choices)}.")
    return text


def env_database(name: str, default: str) -> DBConfig:
    """Return Django's settings for a database URL. Errors do not repeat the URL: it contains a
    password.
    """
    try:
        return dj_database_url.parse(env_text(name) or default, conn_health_checks=True)
    except (dj_database_url.UnknownSchemeError, dj_database_url.ParseError, ValueError):
        raise ImproperlyConfigured(
            f"{name} cannot be read. Use postgres://user:password@host:5432/name, with special "
            "characters of the password percent-encoded."
        ) from None


def origin_of(url: str) -> str:
    """Return a URL's origin as browsers spell it; empty for an empty URL."""
    parts = urlsplit(url)
    if not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def kept_secret(path: Path) -> str:
    """Return a random secret that is created on first use, in a file only its owner can read.

    The file appears whole or not at all: two programs that start together, or one that is killed,
    must not leave an empty secret.
    """
    if not path.exists():
        _make_secret(path)
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{str(path)!r} cannot be read: {error}") from None


def _make_secret(path: Path) -> None:
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600, as wanted
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # unlike a rename, this keeps an existing file
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{str(path)!r} cannot be made: {error}") from None


def env_template(name: str, default: str, placeholder: str) -> str:
    """Return an http(s) URL that contains the placeholder."""
    text = env_text(name, default)
    if placeholder not in text or urlsplit(text).scheme not in ("http", "https"):
        raise ImproperlyConfigured(
            f"{name} is {text!r}. Use an http(s) URL with {placeholder} in it."
        )
    return text
