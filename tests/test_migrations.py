"""An upgrade of a database in use: rows of the first version come through unharmed, and back."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import AddField
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import Account, FalRequest, Preset, Status, Team, Use
from tests.builders import hear, make_result

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MIGRATIONS = "requests_app.migrations"
FIRST = [("requests_app", "0001_initial")]
KEPT = (
    "Team",
    "Membership",
    "FalRequest",
    "Observation",
    "LogLine",
    "Frame",
    "Delivery",
    "IdempotencyKey",
)
Stored = dict[str, list[dict[str, Any]]]


@pytest.fixture
def first() -> Iterator[Any]:
    """The models of the first version, on a database of that version; the newest is back afterwards.

    The database is made anew: the way back through all migrations takes as long as the way forward.
    """
    drop_tables()
    others = [node for node in leaves() if node[0] != "requests_app"]
    yield migrated([*others, *FIRST])
    migrated(newest())


def drop_tables() -> None:
    """Leave nothing, not even the record of migrations."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            return
        cursor.execute("PRAGMA foreign_keys = OFF")
        # A virtual table takes its own tables with it.
        for kind in ("VIRTUAL TABLE", "TABLE"):
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE sql LIKE %s AND name NOT LIKE 'sqlite%%'",
                [f"CREATE {kind} %"],
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TABLE "{name}"')
        cursor.execute("PRAGMA foreign_keys = ON")


def leaves() -> list[tuple[str, str]]:
    return MigrationExecutor(connection).loader.graph.leaf_nodes()


def newest() -> list[tuple[str, str]]:
    return MigrationExecutor(connection).loader.graph.leaf_nodes("requests_app")


def migrated(target: list[tuple[str, str]]) -> Any:
    MigrationExecutor(connection).migrate(target)
    executor = MigrationExecutor(connection)
    return executor.loader.project_state(target).apps


def fill(models: Any, person: User) -> None:
    """A row of every kind, with what is hard to keep: NUL bytes, other scripts, large numbers."""
    now = timezone.now()
    make = {name: models.get_model("requests_app", name).objects.create for name in KEPT}
    team = make["Team"](name="Acme 灯台")
    make["Membership"](team=team, user_id=person.pk, role="owner")
    common = {"team": team, "person_id": person.pk, "endpoint_id": "acme/img", "created_at": now}
    ended = make["FalRequest"](
        **common, input_text='{"prompt": "naïve 😀"}', status="completed", output=b"\x00\xff" * 9,
        options={"priority": "low"}, fal_request_id="r-1", seq=2**40, ended_at=now,
    )  # fmt: skip
    make["FalRequest"](
        **common, input_text="{}", status="in_queue", fal_request_id="r-2", again_of=ended
    )
    make["Observation"](request=ended, kind="ended", source="poll", status="completed", data={"a": [1]}, asked_at=now, heard_at=now)  # fmt: skip
    make["LogLine"](request=ended, message="é", digest="d")
    make["Frame"](request=ended, number=1, offset_ms=0.1, data="x", raw=b"\x00", size=1)
    make["Delivery"](request=ended, received_at=now, verdict="accepted", body=b"\xfe", body_size=1, digest="d")  # fmt: skip
    make["IdempotencyKey"](team=team, key="k", body_digest="d", request=ended)


def stored(models: Any, columns: dict[str, list[str]]) -> Stored:
    """Every value of those columns, comparable."""
    found = {
        name: models.get_model("requests_app", name).objects.order_by("pk").values(*names)
        for name, names in columns.items()
    }
    return {
        name: [
            {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}
            for row in rows
        ]
        for name, rows in found.items()
    }


@pytest.mark.long
def test_rows_of_the_first_version_are_unharmed_and_usable_in_the_newest_and_back(
    first: Any,
) -> None:
    fill(first, User.objects.create_user("olga"))
    columns = {
        name: [
            field.attname for field in first.get_model("requests_app", name)._meta.concrete_fields
        ]
        for name in KEPT
    }
    before = stored(first, columns)
    assert all(before.values())

    migrated(newest())
    assert stored(apps, columns) == before
    queued = FalRequest.objects.get(fal_request_id="r-2")
    assert hear(queued, make_result()) == lifecycle.Effect.NEWS
    assert FalRequest.objects.get(pk=queued.pk).status == Status.COMPLETED

    after = stored(apps, columns)
    assert stored(migrated(FIRST), columns) == after


@pytest.mark.long
def test_saved_messages_become_presets_with_ids_of_their_own_and_back(first: Any) -> None:
    team = first.get_model("requests_app", "Team").objects.create(name="Acme")
    make = first.get_model("requests_app", "MessageTemplate").objects.create
    for name in ("one", "two"):
        make(team=team, endpoint_id="acme/live", name=name, text='{"seed": 7.50}')
    migrated(newest())
    kept = Preset.objects.order_by("name")
    assert [(one.name, one.use, one.version) for one in kept] == [
        ("one", Use.MESSAGE, 1), ("two", Use.MESSAGE, 1),
    ]  # fmt: skip
    assert len({one.public_id for one in kept}) == 2
    Preset.objects.create(team_id=team.pk, endpoint_id="acme/live", name="one", text="{}")
    back = migrated(FIRST).get_model("requests_app", "MessageTemplate").objects.order_by("name")
    assert [one.text for one in back] == ['{"seed": 7.50}'] * 2


def test_the_search_text_of_earlier_rows_is_folded_in_batches(
    first: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module(f"{MIGRATIONS}.0007_fold_search_text"), "BATCH", 2)
    team = first.get_model("requests_app", "Team").objects.create(name="Acme")
    texts = ["École", "plain", "STRASSE  \uff38", "", "E\u0301 2"]
    for text in texts:
        first.get_model("requests_app", "FalRequest").objects.create(
            team=team, person_id=User.objects.get_or_create(username="olga")[0].pk,
            endpoint_id="acme/img", input_text="{}", created_at=timezone.now(), search_text=text,
        )  # fmt: skip
    migrated(newest())
    folded = FalRequest.objects.order_by("pk").values_list("search_text", flat=True)
    assert list(folded) == ["ecole", "plain", "strasse x", "", "e 2"]


def test_users_whose_names_clash_are_told_apart_and_the_oldest_keeps_its_name(
    first: Any, caplog: pytest.LogCaptureFixture
) -> None:
    names = [
        "boss",
        "Boss",
        "BOSS",
        "Boss-2",
        "coca",
        "соса",
        "École",
        "ｂｏｓｓ",
        "x" * 150,
        "X" * 150,
    ]
    for name in names:
        User.objects.create(username=name, password=f"hash of {name[:99]}")
    migrated(newest())
    now = list(User.objects.order_by("pk").values_list("username", flat=True))
    assert now == [
        "boss", "Boss-3", "BOSS-4", "Boss-2", "coca", "соса-2", "École", "ｂｏｓｓ-5", "x" * 150, "X" * 140 + "-2",
    ]  # fmt: skip
    assert [user.password for user in User.objects.order_by("pk")] == [
        f"hash of {name[:99]}" for name in names
    ]
    for user in User.objects.all():
        assert Account.objects.find(user.username.upper()) == user
    told = [record.getMessage() for record in caplog.records]
    assert sum("Renamed the user" in line for line in told) == 5
    assert any("'Boss'" in line and "'Boss-3'" in line and "rename_user" in line for line in told)


@pytest.mark.long
def test_sessions_whose_keys_could_be_read_are_ended(first: Any) -> None:
    store = SessionStore()
    store.create()
    migrated(newest())
    assert not store.exists(store.session_key)


# --- an upgrade of several processes, one after the other: for moments two versions write -----------

OLDEST_BESIDE = 18  # the oldest version that may still run when the newest migrates


def later_columns() -> list[tuple[str, str]]:
    """Model and name of the columns that migrations have added to tables since."""
    graph = MigrationExecutor(connection).loader.graph
    return [
        (step.model_name, step.name)
        for app, name in graph.forwards_plan(newest()[0])
        if app == "requests_app" and int(name[:4]) > OLDEST_BESIDE
        for step in graph.nodes[app, name].operations
        if isinstance(step, AddField)
    ]


def test_each_later_column_may_be_left_out_by_an_older_process() -> None:
    needed = [
        f"{model}.{name}"
        for model, name in later_columns()
        if not (field := apps.get_model("requests_app", model)._meta.get_field(name)).null
        and not field.has_db_default()
    ]
    assert needed == []


def test_an_older_process_inserts_into_the_newest_database() -> None:
    loader = MigrationExecutor(connection).loader
    [older] = [node for node in loader.graph.nodes if node[1].startswith(f"00{OLDEST_BESIDE}")]
    olga = User.objects.create_user("olga")
    if (
        connection.vendor == "sqlite"
    ):  # there one process migrates and writes, and no table is copied
        with pytest.raises(IntegrityError):
            fill(loader.project_state([older]).apps, olga)
        return
    fill(loader.project_state([older]).apps, olga)
    assert {row.input_digest for row in FalRequest.objects.all()} == {""}
    assert Team.objects.get().duplicate_minutes == 10
