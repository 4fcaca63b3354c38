"""A newer version takes over a database that has rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

pytestmark = pytest.mark.django_db(transaction=True)

Migrate = Callable[[str], Any]


@pytest.fixture
def migrate() -> Iterator[Migrate]:
    """Go to a migration of ours; the answer has the models of that time."""

    def go(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("requests_app", name)])
        return MigrationExecutor(connection).loader.project_state([("requests_app", name)]).apps

    yield go
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("requests_app"))


def test_recorded_frames_stay_when_pairs_come(migrate: Migrate) -> None:
    old = migrate("0001_initial")
    team = old.get_model("requests_app", "Team").objects.create(name="A")
    person = old.get_model("auth", "User").objects.create(username="ann")
    row = old.get_model("requests_app", "FalRequest").objects.create(
        team=team, person=person, endpoint_id="acme/live", mode="realtime", input_text="{}",
        status="completed", created_at=timezone.now(),
    )  # fmt: skip
    old.get_model("requests_app", "Frame").objects.create(
        request=row, number=1, offset_ms=1.5, data="x", raw=b"\x01", size=1
    )
    new = migrate("0002_frame_pairs")
    frame = new.get_model("requests_app", "Frame").objects.get()
    assert (frame.number, frame.data, bytes(frame.raw)) == (1, "x", b"\x01")
    assert (frame.pair, frame.rtt_ms) == (None, None)
