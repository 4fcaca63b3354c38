"""System checks: report settings that cannot work or are dangerous, and say what to do about them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from requests_app.display.media_hosts import SOURCE

LEAST_SECRET = 32  # characters
_KEY = re.compile(r"[^\s:]+:[^\s:]+")  # id:secret
_UPSTREAM = ("FAL_RUN_URL", "FAL_QUEUE_URL", "FAL_REST_URL", "FAL_API_URL", "FAL_JWKS_URL")


@register(Tags.security)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    """Require a long key: sessions and form tokens are signed with it."""
    if len(settings.SECRET_KEY) >= LEAST_SECRET:
        return []
    message = f"SECRET_KEY is shorter than {LEAST_SECRET} characters: sessions can be forged."
    hint = "Leave SECRET_KEY unset: a random one is made and kept in DATA_DIR."
    return [Error(message, hint, id="faldeck.E001")]


@register
def check_fal_key(**kwargs: Any) -> list[CheckMessage]:
    """Require the form id:secret, and warn without a key: then only teams with keys of their own reach fal."""
    if settings.SANDBOX or _KEY.fullmatch(settings.FAL_KEY):
        return []
    if not settings.FAL_KEY and _is_loopback(urlsplit(settings.FAL_RUN_URL).hostname):
        return [_no_key_for_an_app_here()]
    if not settings.FAL_KEY:
        message = "FAL_KEY is not set: only teams that gave a fal key of their own can call fal."
        hint = "Set FAL_KEY (or FAL_KEY_FILE), or SANDBOX=1 to try the product without fal."
        return [Warning(message, hint, id="faldeck.W014")]
    message = "FAL_KEY does not have the form id:secret, so fal will refuse every call."
    hint = "Copy both parts of the key from fal's dashboard, with the colon between them."
    return [Error(message, hint, id="faldeck.E002")]


def _no_key_for_an_app_here() -> CheckMessage:
    """Warn instead of failing: `fal run --local` on this machine needs no key."""
    message = (
        "FAL_KEY is not set: the app at FAL_RUN_URL takes runs, streams and sessions without a "
        "key, but fal's queue refuses every request."
    )
    hint = "Set FAL_KEY for queued requests, or SANDBOX=1 for the sandbox's queue beside the app."
    return Warning(message, hint, id="faldeck.W011")


@register(Tags.security)
def check_upstream_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """Require TLS: every call carries the key, and the key set decides which webhooks are accepted."""
    return [
        Error(
            f"{name} is plain HTTP to another machine: FAL_KEY, or whether a webhook is genuine, "
            "can be read or changed on the way.",
            "Use https://.",
            id="faldeck.E003",
        )
        for name in _UPSTREAM
        if not _is_safe(getattr(settings, name))
    ]


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or _is_loopback(parts.hostname or "")


@register
def check_public_url(**kwargs: Any) -> list[CheckMessage]:
    """Warn when fal cannot reach PUBLIC_URL, or would send webhooks unencrypted."""
    url, fal = urlsplit(settings.PUBLIC_URL), urlsplit(settings.FAL_QUEUE_URL)
    if settings.SANDBOX or not url.hostname or _is_loopback(fal.hostname):
        return []
    hint = "Use the https:// address under which the internet reaches this site, or unset it."
    if not _is_public(url.hostname):
        message = "PUBLIC_URL is an address fal cannot reach; it drops such webhooks."
        return [Warning(message, f"{hint} Without it requests are polled.", id="faldeck.W004")]
    if url.scheme != "https":
        message = "PUBLIC_URL is plain HTTP: results and webhook secrets travel in the open."
        return [Warning(message, hint, id="faldeck.W005")]
    return []


@register(Tags.security)
def check_debug(**kwargs: Any) -> list[CheckMessage]:
    """Warn when others can reach debug pages, which show settings, code and inputs."""
    if not is_debug_exposed():
        return []
    message = "DEBUG is on, and this site has an address that others can reach."
    hint = "Unset DEBUG: every error page shows settings, code and inputs."
    return [Warning(message, hint, id="faldeck.W013")]


def is_debug_exposed(listens_on: str = "127.0.0.1") -> bool:
    """Return whether other machines may see Django's debug pages."""
    hosts = [urlsplit(settings.PUBLIC_URL).hostname or "localhost", listens_on]
    hosts += [host.strip("[]").lstrip(".") for host in settings.ALLOWED_HOSTS]
    return settings.DEBUG and not all(map(_is_this_machine, hosts))


def _is_this_machine(host: str) -> bool:
    return _is_loopback(host) or host.endswith(".localhost")


@register
def check_media_hosts(**kwargs: Any) -> list[CheckMessage]:
    """Reject malformed sources: the browser ignores them, so no picture would load and no file be sent."""
    unread = {
        name: [source for source in getattr(settings, name) if not SOURCE.fullmatch(source)]
        for name in ("FAL_MEDIA_HOSTS", "FAL_UPLOAD_HOSTS")
    }
    hint = "Use https://host or https://*.host, with a port if needed, and no path."
    return [
        Error(
            f"{name} has entries that are not hosts: {', '.join(sources)}.", hint, id="faldeck.E012"
        )
        for name, sources in unread.items()
        if sources
    ]


@register
def check_webhooks_are_not_redirected(**kwargs: Any) -> list[CheckMessage]:
    """Reject redirects of the webhook path: fal treats a redirect as a delivery that failed for good."""
    exempt = any(re.search(pattern, "hooks/fal/x/y") for pattern in settings.SECURE_REDIRECT_EXEMPT)
    if not settings.PREPEND_WWW and (exempt or not settings.SECURE_SSL_REDIRECT):
        return []
    message = "Webhooks would be redirected, and fal does not follow: their results would be lost."
    hint = r"Add r'^hooks/' to SECURE_REDIRECT_EXEMPT, and leave PREPEND_WWW to the proxy."
    return [Error(message, hint, id="faldeck.E010")]


@register
def check_processes(**kwargs: Any) -> list[CheckMessage]:
    """Warn about several processes without Redis: messages in memory reach one process only."""
    is_sqlite = connections["default"].settings_dict["ENGINE"].endswith("sqlite3")
    if not is_sqlite and not settings.REDIS_URL:
        message = "DATABASE_URL is a server but REDIS_URL is not set."
        hint = (
            "One process (manage.py serve) works. For more of them set REDIS_URL: without it a "
            "page served by one process is not told what another one does."
        )
        return [Warning(message, hint, id="faldeck.W006")]
    if is_sqlite and settings.REDIS_URL:
        message = "REDIS_URL is set for several processes, but the database is SQLite."
        hint = "Set DATABASE_URL to PostgreSQL: SQLite lets one process write at a time."
        return [Warning(message, hint, id="faldeck.W007")]
    return []


@register(Tags.database)
def check_migrations(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Run only with `check --database default`, as all checks that query the database."""
    if "default" not in (databases or ()):
        return []
    try:
        executor = MigrationExecutor(connections["default"])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        message, hint = "The database does not answer.", "Look at DATABASE_URL and its server."
        return [Error(message, hint, id="faldeck.E008")]
    if not plan:
        return []
    message = f"{len(plan)} migrations have not been applied."
    # A warning, not an error: `migrate` runs this check too and must not be blocked by it.
    return [Warning(message, "Run manage.py migrate.", id="faldeck.W009")]


def _is_loopback(host: str | None) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_public(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return address.is_global
    return "." in host and not host.endswith((".local", ".localhost", ".internal"))


def _address(host: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host or "")
    except ValueError:
        return None
