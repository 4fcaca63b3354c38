"""The state of an installation in words, for a team's owners and admins; and whether its webhook address answers."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from requests_app.models import AT_FAL, Delivery, FalKey, FalRequest, Heartbeat, Status, Team
from requests_app.upkeep import health
from requests_app.upkeep.policy_reports import policy_reports
from requests_app.webhooks import senders

BACKUP = "backup"  # the heartbeat that a backup leaves
OLD_BACKUP = timedelta(days=7)
SHOWN = 5  # kinds of what browsers blocked
MOST_COUNTED = 10_000
_SENDERS = "Addresses of webhooks"
LEAST_FREE = 0.1  # of the disk
TIMEOUT_S = 5.0
_NAMES = {
    "database": "Database",
    "broker": "Broker",
    "worker": "Worker",
    "upstream": "fal",
    "clock": "Clock",
}


@dataclass(frozen=True)
class HealthLine:
    """One part: how it is, in words; `at` a time that belongs to them."""

    name: str
    words: str
    is_fine: bool = True
    at: datetime | None = None


def report(team: Team, now: datetime) -> list[HealthLine]:
    """Return all parts. It counts the team's own requests alone."""
    told = health.examine()
    parts = [
        HealthLine(name, told.get(part) or "Works.", is_fine=not told.get(part))
        for part, name in _NAMES.items()
    ]
    lines = [*parts, _key(team), *_work(team), *_webhooks(team, now), _disk(), _backup(now)]
    return [*lines, _pages()]


def _key(team: Team) -> HealthLine:
    keys = FalKey.objects.filter(team=team, removed_at=None)
    refused = keys.exclude(last_error="").order_by("-last_error_at").first()
    if refused:
        return HealthLine(
            "fal key",
            f"{refused.name}: {refused.last_error}",
            is_fine=False,
            at=refused.last_error_at,
        )
    if count := keys.count():
        own = "1 key" if count == 1 else f"{count} keys"
        return HealthLine("fal key", f"{own} of the team; fal has no objection.")
    if settings.FAL_KEY:
        return HealthLine("fal key", "The installation's key is used.")
    if settings.SANDBOX:
        return HealthLine("fal key", "None: a sandbox on this machine plays fal.")
    return HealthLine("fal key", "There is none: nothing can be sent.", is_fine=False)


def _work(team: Team) -> list[HealthLine]:
    mine = FalRequest.objects.filter(team=team)
    waiting = mine.filter(status=Status.PENDING).count()
    open_, failing = mine.filter(status__in=AT_FAL).count(), mine.failing().count()
    words = f"{waiting:,} to be sent, {open_:,} open at fal."
    if failing:
        words += f" {failing:,} cannot go on: three or more steps in a row failed."
    return [HealthLine("Requests of the team", words, is_fine=not failing)]


def _webhooks(team: Team, now: datetime) -> list[HealthLine]:
    if not settings.PUBLIC_URL:
        return [HealthLine("Webhooks", "PUBLIC_URL is not set: fal is polled for every request.")]
    mine = Delivery.objects.filter(team=team).order_by("-id")
    last = mine.values_list("received_at", flat=True).first()
    words = "The last one came" if last else "None has come yet."
    return [HealthLine("Webhooks", words, at=last), _senders(team, now)]


def _senders(team: Team, now: datetime) -> HealthLine:
    """Tell from which addresses webhooks are taken, how old fal's list is, and how many were refused."""
    if not senders.is_on():
        return HealthLine(_SENDERS, "Not checked: the signature of each decides.")
    listed, own = senders.stored(settings.FAL_API_URL), len(settings.WEBHOOK_EXTRA_ADDRESSES)
    refused = Delivery.objects.filter(team=team, verdict=senders.FOREIGN_ADDRESS)
    told = f"{len(refused.values_list('pk')[:MOST_COUNTED]):,} of the team's were refused."
    if own:
        told = f"WEBHOOK_EXTRA_ADDRESSES has {own:,} more. {told}"
    why = f" {listed.problem}" if listed.problem else ""
    if listed.read_at is None:
        is_open = settings.WEBHOOK_ADDRESS_CHECK == "FAL-OR-WARN"
        what = "taken from every address" if is_open else "refused, and fal is polled"
        words = f"fal's list was never read, so webhooks are {what}.{why} {told}"
        return HealthLine(_SENDERS, words, is_fine=False)
    ranges = "1 range" if len(listed.ranges) == 1 else f"{len(listed.ranges):,} ranges"
    words = f"Checked against {ranges} of fal's.{why} {told} fal's list was read"
    is_fine = not listed.problem and now - listed.read_at < senders.OLD
    return HealthLine(_SENDERS, words, is_fine=is_fine, at=listed.read_at)


def _disk() -> HealthLine:
    try:
        disk = shutil.disk_usage(settings.DATA_DIR)
    except OSError as error:
        return HealthLine("Disk", f"It cannot be read: {error.strerror}.", is_fine=False)
    share = disk.free / disk.total
    words = f"{share:.0%} free ({filesizeformat(disk.free)})."
    return HealthLine("Disk", words, is_fine=share >= LEAST_FREE)


def _backup(now: datetime) -> HealthLine:
    last = Heartbeat.objects.filter(part=BACKUP).values_list("at", flat=True).first()
    if last is None:
        return HealthLine("Last backup", "None by manage.py backup.", is_fine=False)
    return HealthLine("Last backup", "Made", is_fine=now - last < OLD_BACKUP, at=last)


def _pages() -> HealthLine:
    """Tell what browsers blocked on pages; without the hosts, which may be a single team's."""
    told = policy_reports.of_users()
    if not told:
        return HealthLine("Pages", "No browser has reported anything it blocked on them.")
    kinds = Counter[tuple[str, str]]()
    for one in told:
        kinds[one.breach.directive, one.breach.page] += one.count
    shown = [f"{directive} on {page} ({n:,})" for (directive, page), n in kinds.most_common(SHOWN)]
    more = " and more" if len(kinds) > SHOWN else ""
    words = f"Browsers blocked {', '.join(shown)}{more}. The log says what. The last report came"
    return HealthLine("Pages", words, is_fine=False, at=max(one.at for one in told))


def note_backup(now: datetime) -> None:
    """Note that a backup was made."""
    Heartbeat.objects.update_or_create(part=BACKUP, defaults={"at": now})


def reach_webhooks() -> str:
    """Ask PUBLIC_URL for this site's sign of life; return what is wrong, or an empty text."""
    if not settings.PUBLIC_URL:
        return "PUBLIC_URL is not set."
    try:
        reply = httpx.get(f"{settings.PUBLIC_URL}/healthz", timeout=TIMEOUT_S)
        is_ours = reply.json() == {"status": "ok", "version": settings.VERSION}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return f"{settings.PUBLIC_URL} does not answer as Faldeck does."
    return "" if is_ours else f"{settings.PUBLIC_URL} is another site, or another version of this."
