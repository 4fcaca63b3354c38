"""Dump the whole database to a file and load it, with each database's own tools."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

LOCKED_S = 20.0  # how long a restore waits for another connection's lock

NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}


class DumpError(RuntimeError):
    """The dump or restore failed; the text is a sentence for the operator."""


def dump(target: Path) -> None:
    """Write a consistent copy while the database is in use. Raises DumpError."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
    else:
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def load(source: Path, afterwards: Sequence[str]) -> None:
    """Replace the database by the copy and run these statements, in one transaction.

    Modifies `source`. Raises DumpError.
    """
    if connection.vendor == "sqlite":
        _load_sqlite(source, afterwards)
    else:
        _load_postgresql(source, afterwards)
    connection.close()  # its cached table definitions are stale


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy one SQLite file over another, which may be open in a process. Raises DumpError."""
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            _into(new, old)
    except sqlite3.DatabaseError as error:
        raise DumpError(f"{source.name} cannot be copied: {error}") from error


def _load_sqlite(source: Path, afterwards: Sequence[str]) -> None:
    try:
        with closing(sqlite3.connect(source)) as copy:
            (found,) = copy.execute("PRAGMA quick_check").fetchone()
            if found != "ok":
                raise DumpError(f"The database in the backup is damaged: {found}")
            with copy:
                for statement in afterwards:
                    copy.execute(statement)
            connection.ensure_connection()
            _into(connection.connection, copy)
    except sqlite3.DatabaseError as error:
        raise DumpError(f"The database in the backup cannot be used: {error}") from error


def _into(target: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Copy all pages under one lock; give up after `LOCKED_S`, for sqlite3 would wait for ever."""
    end = time.monotonic() + LOCKED_S

    def give_up(*_: int) -> None:
        if time.monotonic() > end:
            raise DumpError("The database is in use. Stop every server and worker first.")

    copy.backup(target, progress=give_up)


def _load_postgresql(source: Path, afterwards: Sequence[str]) -> None:
    script = source.with_suffix(".sql")
    _run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source), at="")
    last = source.with_suffix(".after.sql")
    # The dump's script leaves the search path empty.
    last.write_text("\n".join(["RESET search_path;", *afterwards]))
    first = source.with_suffix(".before.sql")
    first.write_text("\n".join(_emptied()))
    files = [f"--file={path}" for path in (first, script, last)]
    connection.close()
    _run("psql", "--no-psqlrc", "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1", *files)


def _emptied() -> list[str]:
    """Drop every table, also one that a newer version made and the backup does not have."""
    tables = connection.introspection.table_names()
    quoted = [connection.ops.quote_name(table) for table in tables]
    drop = [f"DROP TABLE IF EXISTS {', '.join(quoted)} CASCADE;"] if quoted else []
    return [f"SET LOCAL lock_timeout = '{LOCKED_S:.0f}s';", *drop]


def _run(program: str, *arguments: str, at: str | None = None) -> None:
    """Run one of PostgreSQL's client programs; `at=""` when it needs no server."""
    if shutil.which(program) is None:
        raise DumpError(
            f"{program} is missing. Install PostgreSQL's client programs, of the server's version "
            "or a later one (Debian: apt-get install postgresql-client)."
        )
    where, environment = _server() if at is None else ([], {})
    done = subprocess.run(  # noqa: S603
        [program, *arguments, *where],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        telling = [line for line in lines if "error" in line.lower()] or lines
        raise DumpError(f"{program} failed: {telling[0]}")


def _server() -> tuple[list[str], dict[str, str]]:
    """Return psql's connection arguments, which pg_dump shares, and the environment with the password."""
    arguments, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    return arguments[1:], environment or {}
