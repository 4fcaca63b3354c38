"""Own apps on this machine or network (`fal run --local`) that Faldeck keeps a queue for: `LOCAL_APPS`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from dashboard.env import env_list

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,99}/[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
MOST_AT_ONCE = 64


@dataclass(frozen=True)
class LocalApp:
    """An app at `url`, called as `id`; `at_once`: how many requests it runs at a time. `log` is a file that
    the app's output goes to.
    """

    id: str
    url: str
    at_once: int = 1
    log: Path | None = None


def app_of(endpoint_id: str) -> LocalApp | None:
    """Return the own app that an endpoint belongs to."""
    if not settings.LOCAL_APPS:
        return None
    found: LocalApp | None = settings.LOCAL_APPS.get("/".join(endpoint_id.split("/")[:2]))
    return found


def env_local_apps(name: str) -> dict[str, LocalApp]:
    """Parse `owner/app=http://host:port;at_once=2;log=/path`, several with commas between them."""
    apps = [_app(name, text) for text in env_list(name)]
    found = {app.id: app for app in apps}
    if len(found) < len(apps):
        raise ImproperlyConfigured(f"{name} names an app twice.")
    return found


def _app(name: str, text: str) -> LocalApp:
    first, *more = (part.strip() for part in text.split(";"))
    app_id, _, url = (part.strip() for part in first.partition("="))
    if not _ID.fullmatch(app_id) or not _is_base(url):
        raise ImproperlyConfigured(f"{name} holds {first!r}. Use owner/app=http://host:port.")
    told = dict(part.partition("=")[::2] for part in more)
    at_once, log = told.pop("at_once", "1"), told.pop("log", "")
    if told:
        raise ImproperlyConfigured(
            f"{name} holds {next(iter(told))!r}. After the address it takes at_once and log."
        )
    if not (at_once.isascii() and at_once.isdecimal() and 1 <= int(at_once) <= MOST_AT_ONCE):
        raise ImproperlyConfigured(f"{name}: at_once is a whole number from 1 to {MOST_AT_ONCE}.")
    return LocalApp(app_id, url.rstrip("/"), int(at_once), Path(log) if log else None)


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = re.fullmatch(r"[!-~]+", url) and not parts.query and not parts.fragment
    is_http = parts.scheme in ("http", "https") and bool(parts.hostname)
    return bool(plain and is_http and port_is_fine and "@" not in parts.netloc)
