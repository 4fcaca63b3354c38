"""Processes of an earlier version run on beside the new ones: every migration only adds.

What an older process writes, and what it reads by its columns, still fits. A column that nothing uses is removed in a
later release than the one that stopped using it; it then stands in CONTRACTIONS with that release.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

from requests_app import lifecycle
from requests_app.models import FalRequest
from tests.builders import hear, make_result
from tests.test_migrations import KEPT, fill

APP = "requests_app"
# The release from which on processes may be upgraded one by one.
SINCE = "0024_database_defaults"
ADDS = (
    ops.CreateModel, ops.AddIndex, ops.RemoveIndex, ops.RemoveConstraint, ops.AlterModelOptions, ops.AlterModelManagers,
    ops.RunPython, ops.RunSQL,
)  # fmt: skip
# Migration -> what it takes away, and why no running process minds.
CONTRACTIONS: dict[str, str] = {}


@cache
def loader() -> MigrationLoader:
    return MigrationLoader(None)


def later() -> list[str]:
    """Names of the migrations after SINCE, in order."""
    names = sorted(name for app, name in loader().disk_migrations if app == APP)
    return names[names.index(SINCE) + 1 :]


def state_before(name: str) -> ProjectState:
    state: ProjectState = loader().project_state((APP, name), at_end=False)
    return state


def narrowings(operations: list[Operation], state: ProjectState) -> Iterator[str]:
    """What of the operations an older process would stumble over; the state moves on with each."""
    made: set[str] = set()
    added: set[tuple[str, str]] = set()
    for operation in operations:
        told = None
        if isinstance(operation, ops.SeparateDatabaseAndState):
            yield from narrowings(operation.database_operations, state.clone())
        elif isinstance(operation, ops.AddField):
            added.add((operation.model_name_lower, operation.name))
            if operation.model_name_lower not in made:
                told = refuses_missing(operation.field)
        elif isinstance(operation, ops.AlterField):
            before = state.models[APP, operation.model_name_lower].fields[operation.name]
            told = narrower(before, operation.field)
        elif isinstance(operation, ops.AddConstraint):
            if operation.model_name_lower not in made and not concerns(operation.constraint, added):
                told = "a constraint on older columns may refuse an older process's rows"
        elif not isinstance(operation, ADDS):
            told = "takes away or renames"
        if isinstance(operation, ops.CreateModel):
            made.add(operation.name_lower)
        if told:
            yield f"{operation.describe()}: {told}"
        operation.state_forwards(APP, state)


def refuses_missing(field: Any) -> str | None:
    """Why an insert without the column fails; None when it does not."""
    if field.many_to_many or field.null or field.db_default is not NOT_PROVIDED:
        return None
    return "NOT NULL without db_default"


def narrower(before: Any, after: Any) -> str | None:
    """Why a value that fitted may not fit any more; None when each does."""
    if before.null and not after.null:
        return "NULL is refused from now on"
    if (
        before.db_default is not NOT_PROVIDED
        and after.db_default is NOT_PROVIDED
        and not after.null
    ):
        return "its db_default goes"
    if (after.max_length or 10**9) < (before.max_length or 10**9):
        return "shorter texts alone"
    if not before.unique and after.unique:
        return "unique from now on"
    if before.get_internal_type() != after.get_internal_type():
        return "another type"
    return None


def concerns(constraint: Any, added: set[tuple[str, str]]) -> bool:
    """Whether it reads a column that the migration adds: older processes leave that at its default."""
    _, _, arguments = constraint.deconstruct()
    return any(name in repr(arguments) for _, name in added)


@pytest.mark.parametrize("name", later())
def test_every_migration_only_adds(name: str) -> None:
    found = list(narrowings(loader().disk_migrations[APP, name].operations, state_before(name)))
    if name in CONTRACTIONS:
        assert found, f"{name} only adds: it need not stand in CONTRACTIONS"
    else:
        assert not found, found


def altered(before: models.Field, after: models.Field) -> list[Operation]:
    made = ops.CreateModel("Kept", [("id", models.BigAutoField(primary_key=True)), ("one", before)])
    made.state_forwards(APP, state := ProjectState())
    return list(narrowings([ops.AlterField("kept", "one", after)], state))  # type: ignore[arg-type]


TEXT, NEW_TEXT = models.CharField(max_length=9), models.TextField(db_default="")


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (ops.AddField("team", "x", models.TextField(default="")), "NOT NULL without db_default"),
        (ops.AddField("team", "x", NEW_TEXT), None),
        (ops.AddField("team", "x", models.TextField(null=True)), None),
        (ops.RemoveField("team", "name"), "takes away"),
        (ops.RenameField("team", "name", "label"), "renames"),
        (ops.RenameModel("Team", "Group"), "renames"),
        (ops.DeleteModel("Team"), "takes away"),
        (ops.AlterModelTable("team", "other"), "takes away"),
        (ops.AlterUniqueTogether("team", {("name",)}), "takes away"),
        (ops.AddConstraint("team", models.UniqueConstraint(fields=["name"], name="u")), "refuse"),
        (ops.SeparateDatabaseAndState(database_operations=[ops.RemoveField("team", "name")]), "away"),
    ],
)  # fmt: skip
def test_what_an_older_process_stumbles_over_is_found(
    operation: Operation, told: str | None
) -> None:
    found = list(narrowings([operation], state_before(later()[0])))
    assert bool(found) == bool(told), found
    assert not told or told in found[0]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (TEXT, models.CharField(max_length=8), "shorter"),
        (TEXT, models.CharField(max_length=10), None),
        (TEXT, models.CharField(max_length=9, unique=True), "unique"),
        (models.TextField(null=True), models.TextField(), "NULL is refused"),
        (models.TextField(), models.TextField(null=True), None),
        (models.TextField(db_default=""), models.TextField(), "db_default goes"),
        (models.TextField(), models.IntegerField(), "another type"),
    ],
)  # fmt: skip
def test_a_column_that_grows_narrower_is_found(before: Any, after: Any, told: str | None) -> None:
    found = altered(before, after)
    assert bool(found) == bool(told), found
    assert not told or told in found[0]


@pytest.mark.django_db
@pytest.mark.parametrize("version", [later()[0], later()[-1]], ids=["oldest", "newest but one"])
def test_an_older_process_writes_reads_and_changes_rows_of_the_newest_database(
    version: str,
) -> None:
    """Its models know the columns of its version alone, so its statements are those it would send."""
    old = state_before(version).apps
    fill(old, User.objects.create_user("olga"))
    for name in KEPT:
        kept = old.get_model(APP, name).objects.order_by("pk").last()
        assert kept is not None, name
        kept.save()

    # What it made is whole for the newest code, which ends it; and the older one reads that.
    waiting = FalRequest.objects.get(fal_request_id="r-2")
    assert hear(waiting, make_result()) == lifecycle.Effect.NEWS
    seen = old.get_model(APP, "FalRequest").objects.get(fal_request_id="r-2")
    assert (seen.status, bool(seen.output)) == ("completed", True)
    seen.delete()
