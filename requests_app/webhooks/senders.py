"""Which network addresses webhooks are taken from: fal's, which it lists at `/v1/meta`, and the operator's own.

Off by default (`WEBHOOK_ADDRESS_CHECK`): the signature decides, and this only adds to it. The clock's task reads fal's
list and stores it; web processes look at the stored one every few seconds. A list that cannot be used changes nothing:
the last good one stays in force, however old. While none was ever read, FAL refuses and FAL-OR-WARN accepts.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.conf import settings
from django.db import DatabaseError

from requests_app.accounts.network import Address
from requests_app.catalogue.download import DownloadError, download
from requests_app.fal.jsontext import NotJson
from requests_app.fal.meta import PATH, Network, read_ranges, unmapped
from requests_app.models import SenderRanges

logger = logging.getLogger(__name__)

FOREIGN_ADDRESS = "foreign_address"  # the verdict on what is refused
WHAT = "fal's list of webhook addresses"
READ_EVERY = timedelta(hours=1)
TRY_EVERY = timedelta(minutes=1)  # while it cannot be read
OLD = timedelta(hours=24)  # Health says so
MOST_BYTES = 256 * 1024
TIMEOUT_S, DEADLINE_S = 5.0, 10.0
LOOK_EVERY_S = 5.0  # of each process, at what is stored


@dataclass(frozen=True)
class KnownSenders:
    """fal's ranges as stored. `read_at` is None while none were ever read; `problem` is the last look's."""

    ranges: tuple[Network, ...] = ()
    read_at: datetime | None = None
    problem: str = ""


def is_on() -> bool:
    """Return whether addresses are checked at all."""
    return bool(settings.WEBHOOK_ADDRESS_CHECK != "OFF")


def admits(address: Address | None) -> bool:
    """Return whether a webhook from this address is to be judged further; None: an address that cannot be read.

    Raises DatabaseError when nothing is known because the database is away.
    """
    if not is_on():
        return True
    if address is not None and _is_in(address, _own()):
        return True
    listed = listing()
    if listed.read_at is None:
        return bool(settings.WEBHOOK_ADDRESS_CHECK == "FAL-OR-WARN")
    return address is not None and _is_in(address, listed.ranges)


def _own() -> tuple[Network, ...]:
    return tuple(unmapped(network) for network in settings.WEBHOOK_EXTRA_ADDRESSES)


def _is_in(address: Address, ranges: tuple[Network, ...]) -> bool:
    return any(address in network for network in ranges)


# --- what is stored ----------------------------------------------------------------------------------


class Looked:
    """This process's copy of what is stored, a few seconds old at most while the database answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._source = ""
        self._listed: KnownSenders | None = None
        self._until = 0.0

    def __call__(self) -> KnownSenders:
        """Return it. Raises DatabaseError when the database is away and nothing is known."""
        with self._lock:
            source = settings.FAL_API_URL
            if self._source != source or time.monotonic() >= self._until or self._listed is None:
                self._look(source)
            return self._listed or KnownSenders()

    def _look(self, source: str) -> None:
        if self._source != source:
            self._source, self._listed = source, None
        try:
            listed = stored(source)
        except DatabaseError:
            if self._listed is None:
                raise
            listed = self._listed
        if listed.read_at is None and listed != self._listed:
            _tell_unread()
        self._listed, self._until = listed, time.monotonic() + LOOK_EVERY_S

    def forget(self) -> None:
        """Look again at the next call."""
        self._until = 0.0


listing = Looked()


def _tell_unread() -> None:
    what = "refused" if settings.WEBHOOK_ADDRESS_CHECK == "FAL" else "accepted from every address"
    logger.warning("%s was never read: webhooks are %s until it is.", WHAT, what)


def stored(source: str) -> KnownSenders:
    """Return what is stored of this FAL_API_URL."""
    row = SenderRanges.objects.filter(source=source).first()
    if row is None:
        return KnownSenders()
    return KnownSenders(tuple(ip_network(text) for text in row.ranges), row.read_at, row.problem)


# --- fal's list --------------------------------------------------------------------------------------


def refresh(now: datetime) -> None:
    """Read fal's list if that is due, and store it; a failure is stored beside the last good one."""
    source = settings.FAL_API_URL
    if not is_on() or not _is_due(source, now):
        return
    found: dict[str, object] = {"tried_at": now, "problem": ""}
    try:
        ranges = read_ranges(_fetch(source))
    except DownloadError as error:
        found["problem"] = str(error)
    except NotJson as error:
        found["problem"] = f"{WHAT} cannot be used. {error}"
    else:
        found |= {"ranges": [str(one) for one in ranges], "read_at": now}
    if found["problem"]:
        logger.warning("%s What was read before stays in force.", found["problem"])
    SenderRanges.objects.update_or_create(source=source, defaults=found)
    listing.forget()


def _is_due(source: str, now: datetime) -> bool:
    row = SenderRanges.objects.filter(source=source).first()
    if row is None:
        return True
    waited = now - row.tried_at
    every = TRY_EVERY if row.problem else READ_EVERY
    return not timedelta(0) <= waited < every  # below zero: the clock was set back


def _fetch(source: str) -> bytes:
    return download(
        source + PATH, what=WHAT, most=MOST_BYTES, timeout_s=TIMEOUT_S, deadline_s=DEADLINE_S
    )
