"""fal's list of the addresses of webhooks: when it is read, what is kept of it, and who notices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from dashboard.celery import EVERY_S
from requests_app import tasks
from requests_app.models import SenderRanges
from requests_app.webhooks import senders
from tests.catalogue.conftest import DocumentServer

pytestmark = pytest.mark.django_db

NOW = timezone.now()
FAL, OTHER = ip_address("192.0.2.7"), ip_address("203.0.113.9")


def listed(*ranges: object) -> bytes:
    return json.dumps({"webhook_ip_ranges": list(ranges)}).encode()


@pytest.fixture
def fal(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[DocumentServer]:
    made = DocumentServer()
    made.body = listed("192.0.2.0/24")
    settings.FAL_API_URL, settings.FAL_KEY = made.url, "id:secret"
    settings.WEBHOOK_ADDRESS_CHECK = "FAL"
    monkeypatch.setattr(senders, "listing", senders.Looked())
    yield made
    made.close()


def kept() -> SenderRanges:
    return SenderRanges.objects.get()


def test_it_is_read_without_a_key_once_an_hour(fal: DocumentServer) -> None:
    for minutes in (0, 1, 59):
        senders.refresh(NOW + timedelta(minutes=minutes))
    [(path, headers)] = fal.asked
    assert path == "/v1/meta"
    assert "authorization" not in headers
    assert (kept().ranges, kept().read_at, kept().problem) == (["192.0.2.0/24"], NOW, "")
    fal.body = listed("192.0.2.7", "2001:db8::/48")
    senders.refresh(NOW + timedelta(minutes=60))
    assert kept().ranges == ["192.0.2.7/32", "2001:db8::/48"]


def test_while_it_is_off_nothing_is_asked_of_fal_or_the_database(
    fal: DocumentServer, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.WEBHOOK_ADDRESS_CHECK = "OFF"
    with django_assert_num_queries(0):
        senders.refresh(NOW)
        assert senders.admits(OTHER)
        assert senders.admits(None)
    assert fal.asked == []


BAD: dict[str, tuple[int, bytes]] = {
    "away": (503, b"{}"),
    "moved": (302, b""),
    "no list": (200, b"{}"),
    "an empty list": (200, listed()),
    "no JSON": (200, b"<html>"),
    "everything": (200, listed("192.0.2.0/24", "0.0.0.0/0")),
    "one that is none": (200, listed("192.0.2.0/24", "fal.ai")),
    "too large": (200, b" " * (senders.MOST_BYTES + 1)),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("mode", ["FAL", "FAL-OR-WARN"])
def test_a_list_that_cannot_be_used_neither_opens_nor_closes(
    fal: DocumentServer, settings: Any, mode: str, name: str
) -> None:
    settings.WEBHOOK_ADDRESS_CHECK = mode
    senders.refresh(NOW)
    fal.status, fal.body = BAD[name]
    later = NOW + timedelta(hours=1)
    senders.refresh(later)
    assert (kept().ranges, kept().read_at, kept().tried_at) == (["192.0.2.0/24"], NOW, later)
    assert kept().problem.startswith("fal's list of webhook addresses ")
    assert (senders.admits(FAL), senders.admits(OTHER)) == (True, False)


def test_after_a_failure_it_is_tried_each_minute_until_it_is_read(fal: DocumentServer) -> None:
    fal.status = 503
    asked = []
    for seconds in (0, 30, 59, 60, 90, 120):
        senders.refresh(NOW + timedelta(seconds=seconds))
        asked.append(len(fal.asked))
    assert asked == [1, 1, 1, 2, 2, 3]
    fal.status = 200
    senders.refresh(NOW + timedelta(seconds=180))
    assert (kept().problem, kept().ranges) == ("", ["192.0.2.0/24"])


def test_a_clock_that_was_set_back_does_not_stop_it(fal: DocumentServer) -> None:
    senders.refresh(NOW + timedelta(days=300))
    senders.refresh(NOW)
    assert len(fal.asked) == 2


def test_a_process_that_starts_while_fal_is_away_knows_what_was_read(
    fal: DocumentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    senders.refresh(NOW)
    fal.close()
    monkeypatch.setattr(senders, "listing", senders.Looked())
    assert (senders.admits(FAL), senders.admits(OTHER)) == (True, False)


def test_what_another_fal_listed_does_not_count(fal: DocumentServer, settings: Any) -> None:
    """The sandbox lists this machine, which a real fal never does."""
    senders.refresh(NOW)
    settings.FAL_API_URL = "https://another.example"
    assert not senders.admits(FAL)
    settings.FAL_API_URL = fal.url
    assert senders.admits(FAL)


class Seconds:
    """A clock for a process's copy."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_a_process_looks_at_the_database_every_few_seconds_and_not_for_each_webhook(
    fal: DocumentServer, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    seconds = Seconds()
    monkeypatch.setattr(senders, "time", seconds)
    senders.refresh(NOW)
    with django_assert_num_queries(1):
        assert all(senders.admits(FAL) for _ in range(50))
    # Another process reads a new list.
    SenderRanges.objects.update(ranges=["203.0.113.0/24"])
    assert senders.admits(FAL)
    seconds.now += senders.LOOK_EVERY_S
    with django_assert_num_queries(1):
        assert (senders.admits(FAL), senders.admits(OTHER)) == (False, True)


def test_while_the_database_is_away_a_process_goes_by_what_it_knows(
    fal: DocumentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    senders.refresh(NOW)
    assert senders.admits(FAL)

    def away(source: str) -> senders.KnownSenders:
        raise OperationalError("away")

    monkeypatch.setattr(senders, "stored", away)
    senders.listing.forget()
    assert (senders.admits(FAL), senders.admits(OTHER)) == (True, False)
    monkeypatch.setattr(senders, "listing", senders.Looked())
    with pytest.raises(OperationalError):
        senders.admits(FAL)


@pytest.mark.parametrize(("mode", "does_admit"), [("FAL", False), ("FAL-OR-WARN", True)])
def test_while_no_list_was_ever_read_it_is_closed_unless_asked_to_warn(
    fal: DocumentServer, settings: Any, caplog: Any, mode: str, does_admit: bool
) -> None:
    settings.WEBHOOK_ADDRESS_CHECK = mode
    settings.WEBHOOK_EXTRA_ADDRESSES = [ip_network("198.51.100.0/24")]
    assert senders.admits(OTHER) is senders.admits(None) is does_admit
    assert senders.admits(ip_address("198.51.100.1"))
    [line] = [one for one in caplog.messages if "never read" in one]
    assert ("accepted from every address" in line) is does_admit


def test_the_clock_reads_it_soon_after_a_start(fal: DocumentServer) -> None:
    tasks.read_webhook_senders()
    assert kept().ranges == ["192.0.2.0/24"]
    assert kept().read_at >= NOW
    assert EVERY_S["read_webhook_senders"] <= 10


def test_what_is_stored_says_whose_it_is() -> None:
    row = SenderRanges(source="https://api.example", ranges=["a", "b"], tried_at=NOW)
    assert str(row) == "2 ranges of https://api.example"
