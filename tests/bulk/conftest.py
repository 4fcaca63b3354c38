"""Bulk actions as a user confirms them."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from requests_app.bulk import working
from requests_app.bulk.making import Order, make
from requests_app.models import BulkAction, BulkVerb, FalRequest, Team
from tests.builders import make_request


def make_bulk(
    team: Team, person: Any, verb: str = "cancel", *, rows: Any = None, **order: Any
) -> BulkAction:
    """An action on the rows; without any, on all of the team."""
    chosen = FalRequest.objects.filter(team=team) if rows is None else rows
    values = {"search": "", "by_hand": False, "reason": "", "token": uuid.uuid4().hex}
    wanted = Order(BulkVerb(verb), chosen, **(values | order))
    return make(wanted, team=team, person=person, now=timezone.now())


def make_rows(team: Team, person: Any, count: int) -> list[FalRequest]:
    """Pending requests, each with an input of its own."""
    return [make_request(team=team, person=person, input={"n": n}) for n in range(count)]


def turn(bulk: BulkAction) -> None:
    """A turn as the worker gives it."""
    now = timezone.now()
    working.settle(bulk.pk, now)
    while working.refill(bulk.pk, now):
        pass
    working.settle(bulk.pk, now)
    bulk.refresh_from_db()


def counts(bulk: BulkAction) -> dict[str, int]:
    """The counts that are not 0, which must agree with the items."""
    bulk.refresh_from_db()
    names = {
        "waiting": "waiting",
        "done": "succeeded",
        "skipped": "skipped",
        "failed": "failed",
    }
    stored = {name: getattr(bulk, column) for name, column in names.items()}
    outcomes = list(bulk.items.values_list("outcome", flat=True))
    assert stored == {name: outcomes.count(name) for name in names}
    assert sum(stored.values()) == bulk.total
    return {name: count for name, count in stored.items() if count}
