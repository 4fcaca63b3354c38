"""Batches as a user makes them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.utils import timezone

from requests_app.batches import control
from requests_app.batches.making import Plan, check_rows, make
from requests_app.batches.sheet import read_csv
from requests_app.models import Batch, Team
from tests.builders import make_draft

INPUT = {"prompt": "a {{subject}}", "seed": "{{seed}}"}


def make_batch(
    team: Team, person: Any, *, rows: int = 5, is_started: bool = True, **plan: Any
) -> Batch:
    """A batch with the subjects s1, s2 … and the seeds 1, 2 …"""
    lines = "".join(f"s{number},{number}\n" for number in range(1, rows + 1))
    draft = make_draft(
        input=plan.pop("input", INPUT), endpoint_id=plan.pop("endpoint_id", "acme/img")
    )
    made = Plan(draft, **plan)
    sheet = io.BytesIO(f"subject,seed\n{lines}".encode())
    checked = check_rows(made, lambda: read_csv(sheet), team)
    batch = make(made, checked, team=team, person=person, now=timezone.now())
    if is_started:
        assert control.start(batch, person=person, now=timezone.now())
        batch.refresh_from_db()
    return batch


def counts(batch: Batch) -> dict[str, int]:
    """The counts that are not 0, which must agree with the rows."""
    batch.refresh_from_db()
    names = ("waiting", "open", "completed", "failed", "cancelled")
    stored = {name: getattr(batch, name) for name in names if getattr(batch, name)}
    states = list(batch.items.values_list("state", flat=True))
    assert stored == {name: states.count(name) for name in names if name in states}
    assert sum(stored.values()) == batch.total
    return stored


def inputs(batch: Batch) -> list[Any]:
    """The inputs of its rows' requests, by row."""
    items = batch.items.exclude(request=None).order_by("number").select_related("request")
    return [json.loads(item.request.input_text) for item in items]


@pytest.fixture
def batch(team, owner) -> Batch:
    return make_batch(team, owner, concurrency=2)
