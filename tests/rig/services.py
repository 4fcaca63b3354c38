"""PostgreSQL and Redis: how they are started, and a prepared data folder to copy for each run."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.ports import free_port
from tests.rig.processes import ROOT, Program

SERVER_USER = "postgres"  # as PostgreSQL insists, when root starts it
PERSON = "ada"
KEPT = ("PATH", "HOME", "LANG")


def base_environment() -> dict[str, str]:
    """Nothing of the caller's configuration."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def postgres_bin() -> Path:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    if not found:
        sys.exit("PostgreSQL is missing. On Debian: apt-get install postgresql")
    return found[-1]


def redis_program() -> str:
    """The path of redis-server."""
    found = shutil.which("redis-server")
    if found is None:
        sys.exit("Redis is missing. On Debian: apt-get install redis-server")
    return found


class Postgres:
    """A server on a data folder. A commit is on its way to the disk before it is answered."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.url = f"postgres://faldeck@127.0.0.1:{self.port}/faldeck"
        self.program = Program(
            "postgres-1",
            [
                str(postgres_bin() / "postgres"), "-D", str(home / "data"), "-p", str(self.port),
                "-k", str(home), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300",
                # A killed process loses nothing it has written; only a power cut needs fsync.
                "-c", "fsync=off", "-c", "synchronous_commit=on",
            ],
            base_environment(), home / "postgres.log", user=SERVER_USER, is_ready=self.answers,
        )  # fmt: skip

    def answers(self) -> bool:
        """Whether one can log in."""
        with contextlib.suppress(psycopg.Error):
            self.connect("postgres").close()
            return True
        return False

    def connect(self, database: str = "faldeck") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the rig's own."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="faldeck", dbname=database,
            autocommit=True, connect_timeout=3,
        )  # fmt: skip


class Redis:
    """A server that keeps nothing on disk: whatever kills it also empties it."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.program = Program(
            "redis-1",
            [
                redis_program(), "--port", str(self.port), "--bind", "127.0.0.1",
                "--save", "", "--appendonly", "no",
            ],
            base_environment(), home / "redis.log", user=SERVER_USER, is_ready=self.answers,
        )  # fmt: skip

    def answers(self) -> bool:
        """Whether it says PONG."""
        with contextlib.suppress(redis.RedisError):
            return bool(self.client().ping())
        return False

    def client(self) -> redis.Redis:
        """A client of the rig's own."""
        return redis.Redis(port=self.port, socket_timeout=2)


@dataclass(frozen=True)
class Prepared:
    """A migrated database with a team, and its owner's token and password."""

    home: Path
    token: str
    password: str
    secret_key: str


def open_to_server(home: Path) -> None:
    """Let the server's user write there."""
    home.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        shutil.chown(home, SERVER_USER)


def prepare(home: Path) -> Prepared:
    """Done once; each run works on a copy."""
    open_to_server(home)
    _as_server(
        home, postgres_bin() / "initdb", "--pgdata", home / "data", "--auth", "trust",
        "--username", "faldeck", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
    )  # fmt: skip
    server = Postgres(home)
    server.program.start()
    try:
        server.program.wait_until_ready()
        with server.connect("postgres") as connection:
            connection.execute("CREATE DATABASE faldeck")
        return _filled(home, server.url)
    finally:
        server.program.kill()


def _filled(home: Path, database_url: str) -> Prepared:
    secret_key, password = secrets.token_urlsafe(40), secrets.token_urlsafe(20)
    environment = {
        **base_environment(),
        "DATA_DIR": str(home / "var"),
        "DATABASE_URL": database_url,
        "SECRET_KEY": secret_key,
        "DJANGO_SUPERUSER_PASSWORD": password,
    }

    def manage(*words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    manage("migrate", "--verbosity=0")
    manage("createsuperuser", "--noinput", f"--username={PERSON}", "--email=ada@example.org")
    manage("create_team", "Acme", f"--owner={PERSON}")
    token = manage("create_token", f"--user={PERSON}", "--team=Acme")
    return Prepared(home, token, password, secret_key)


def copy_data(prepared: Prepared, home: Path) -> None:
    """The prepared data folder for one run, with its owner and rights."""
    open_to_server(home)
    subprocess.run(["cp", "-a", prepared.home / "data", home / "data"], check=True)
    (home / "data" / "postmaster.pid").unlink(missing_ok=True)


def _as_server(home: Path, *command: object) -> None:
    user = SERVER_USER if os.getuid() == 0 else None
    words = [str(word) for word in command]
    subprocess.run(words, cwd=home, user=user, check=True, capture_output=True)
