"""What has expired goes by itself; what is in use stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from dashboard.celery import app
from requests_app import tasks
from requests_app.catalogue.store import FRESH
from requests_app.models import Endpoint, EndpointDocument, GuessCounter, Session
from requests_app.upkeep.expired import remove_expired

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def session(key: str, end: datetime) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=end)


def counter(name: str, end: datetime) -> None:
    GuessCounter.objects.create(kind="account", slot=len(name), expires_at=end)


@pytest.mark.parametrize("make", [session, counter])
def test_a_row_goes_once_its_end_has_passed(db: None, make) -> None:
    ends = {"years": -1000 * 86400, "a second": -1, "now": 0, "soon": 1, "two weeks": 14 * 86400}
    for name, seconds in ends.items():
        make(name, NOW + timedelta(seconds=seconds))
    remove_expired(NOW)
    rows = Session.objects.order_by("expire_date") if make is session else GuessCounter.objects.order_by("expires_at")  # fmt: skip
    left = [getattr(row, "expire_date", None) or row.expires_at for row in rows]
    assert left == [NOW + timedelta(seconds=each) for each in (0, 1, 14 * 86400)]


@pytest.mark.django_db(transaction=True)
def test_the_clock_removes_them() -> None:
    assert tasks.remove_expired.name in {entry["task"] for entry in app.conf.beat_schedule.values()}
    session("old", timezone.now() - timedelta(days=1))
    session("new", timezone.now() + timedelta(days=1))
    tasks.remove_expired()
    assert Session.objects.count() == 1


def test_an_endpoint_without_a_schema_goes_after_a_day_and_one_with_a_schema_stays(
    db: None,
) -> None:
    document = EndpointDocument.objects.create(
        endpoint_id="acme/known", digest="d", raw=b"{}", first_seen_at=NOW
    )
    old, new = NOW - FRESH - timedelta(seconds=1), NOW - FRESH
    for name, known, checked_at in (
        ("acme/known", document, old), ("acme/kno", None, old), ("acme/know", None, new),
    ):  # fmt: skip
        Endpoint.objects.create(endpoint_id=name, document=known, checked_at=checked_at)
    remove_expired(NOW)
    left = Endpoint.objects.order_by("endpoint_id").values_list("endpoint_id", flat=True)
    assert list(left) == ["acme/know", "acme/known"]
