"""A test process that takes the database of another has all of it."""

from __future__ import annotations

import sqlite3

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests import databases

SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
APPLIED = "SELECT app, name FROM django_migrations ORDER BY app, name"


def test_a_copy_has_every_table_index_trigger_and_applied_migration(transactional_db, tmp_path):
    if connection.vendor != "sqlite":
        return  # each process migrates a PostgreSQL database of its own
    databases.save(tmp_path / "copy.sqlite3")
    with sqlite3.connect(tmp_path / "copy.sqlite3") as copy, connection.cursor() as cursor:
        for question in (SCHEMA, APPLIED):
            cursor.execute(question)
            assert copy.execute(question).fetchall() == cursor.fetchall()
    copy.close()
    assert [path.name for path in tmp_path.iterdir()] == ["copy.sqlite3"]


def test_rights_of_django_that_nothing_reads_are_not_written(db):
    assert not ContentType.objects.exists()
