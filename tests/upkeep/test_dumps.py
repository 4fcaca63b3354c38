"""What keeps a dump or a load from working is told in a sentence."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

from requests_app.upkeep import dumps
from requests_app.upkeep.dumps import DumpError, dump, load

pytestmark = pytest.mark.django_db(transaction=True)

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="how SQLite is locked")


def test_a_statement_that_fails_afterwards_leaves_everything_as_it_was(tmp_path: Path) -> None:
    User.objects.create_user("olive")
    dump(tmp_path / "dump")
    User.objects.update(username="since")
    with pytest.raises(DumpError):
        load(tmp_path / "dump", ["UPDATE auth_user SET username = 'x';", "SELECT no_such;"])
    assert User.objects.get().username == "since"


@on_sqlite
def test_a_locked_database_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump(tmp_path / "dump")
    monkeypatch.setattr(dumps, "LOCKED_S", 0.2)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
    connection.close()
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(DumpError, match="The database is in use"):
            load(tmp_path / "dump", [])


@on_sqlite
def test_a_damaged_database_is_not_taken(tmp_path: Path) -> None:
    User.objects.create_user("olive")
    dump(tmp_path / "dump")
    whole = bytearray((tmp_path / "dump").read_bytes())
    whole[4096 * 3 : 4096 * 8] = b"\xa5" * 4096 * 5
    (tmp_path / "dump").write_bytes(whole)
    with pytest.raises(DumpError, match=r"damaged|cannot be used"):
        load(tmp_path / "dump", [])
    assert User.objects.get().username == "olive"


def test_a_program_that_is_missing_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DumpError, match=r"pg_dump is missing.*postgresql-client"):
        dumps._run("pg_dump", at="")


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(DumpError, match=r"ls failed: .*no-such-file"):
        dumps._run("ls", "no-such-file", at="")
