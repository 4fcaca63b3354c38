"""What was backed up comes back, on the database the suite runs on, and nothing is sent twice."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Frame, Heartbeat, KeptFile, Observation, Status, Team
from requests_app.upkeep import backup
from requests_app.upkeep.dumps import NAMES, DumpError
from tests.builders import hear, make_queued, make_request, make_result

pytestmark = pytest.mark.django_db(transaction=True)
Edit = Callable[[dict[str, bytes]], object]


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """An installation's folder with its secret key and a sandbox's state."""
    settings.DATA_DIR, settings.SANDBOX = tmp_path / "var", True
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / "secret_key").write_text(settings.SECRET_KEY)
    with closing(sqlite3.connect(settings.DATA_DIR / "sandbox.sqlite3")) as state, state:
        state.execute("CREATE TABLE kept (word TEXT)")
        state.execute("INSERT INTO kept VALUES ('before')")
    return Path(settings.DATA_DIR)


@pytest.fixture
def rows(team: Team, owner: User) -> list[FalRequest]:
    """One that ended, one at fal, one that waits to be sent."""
    ended = make_queued(
        "req-1", team=team, person=owner, input={"prompt": "naïve 灯台 \ud83d\ude00"}
    )
    hear(ended, make_result())
    Frame.objects.create(request=ended, number=1, offset_ms=1.5, data="é", size=2, raw=b"\x00\xff")
    return [
        ended,
        make_queued("req-2", team=team, person=owner),
        make_request(team=team, person=owner),
    ]


def stored() -> dict[str, list[dict[str, Any]]]:
    """Every value of the tables that matter, comparable."""
    tables = (FalRequest, Observation, Frame, Team, User)
    return {
        model.__name__: [
            {name: bytes(v) if isinstance(v, memoryview) else v for name, v in row.items()}
            for row in model.objects.order_by("pk").values()  # type: ignore[attr-defined]
        ]
        for model in tables
    }


def restored(file: Path, *, replace: bool = True) -> backup.Manifest:
    return backup.restore(file, replace=replace)


def edited(file: Path, edit: Edit) -> Path:
    """The backup with some members changed."""
    with tarfile.open(file) as archive:
        parts = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    edit(parts)
    with tarfile.open(file, "w") as archive:
        for name, body in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return file


def manifest_says(**values: Any) -> Edit:
    def edit(parts: dict[str, bytes]) -> None:
        said = json.loads(parts["manifest.json"]) | values
        parts["manifest.json"] = json.dumps(said).encode()

    return edit


def test_every_value_comes_back_as_it_was(rows: list[FalRequest], tmp_path: Path) -> None:
    FalRequest.objects.filter(pk=rows[2].pk).update(status=Status.SUBMITTING)
    before = stored()
    made = backup.make(tmp_path / "a.backup")
    assert (made.requests, made.database) == (3, connection.vendor)
    FalRequest.objects.all().delete()
    Team.objects.update(name="Changed since")
    restored(tmp_path / "a.backup")
    assert stored() == before


def test_new_rows_can_be_made_after_a_restore(
    rows: list[FalRequest], team: Team, owner: User, tmp_path: Path
) -> None:
    backup.make(tmp_path / "a.backup")
    restored(tmp_path / "a.backup")
    assert make_request(team=team, person=owner).pk > max(row.pk for row in rows)


def test_what_waited_to_be_sent_is_never_sent_by_itself_after_a_restore(
    rows: list[FalRequest], tmp_path: Path
) -> None:
    assert backup.make(tmp_path / "a.backup").pending == 1
    restored(tmp_path / "a.backup")
    lifecycle.resume(now=timezone.now(), alone=True)
    waiting = FalRequest.objects.get(pk=rows[2].pk)
    assert waiting.status == Status.UNCERTAIN
    assert waiting.due_at is None
    assert lifecycle.start_attempt(waiting.pk, now=timezone.now() + timedelta(days=1)) is None
    told = waiting.observations.last()
    assert told is not None
    assert (waiting.seq, told.status, told.data) == (told.pk, Status.UNCERTAIN, {})
    assert "may have been sent since" in told.note
    assert abs(told.heard_at - timezone.now()) < timedelta(minutes=1)


def test_what_is_at_fal_is_asked_about_again(rows: list[FalRequest], tmp_path: Path) -> None:
    backup.make(tmp_path / "a.backup")
    restored(tmp_path / "a.backup")
    lifecycle.resume(now=timezone.now(), alone=True)
    assert FalRequest.objects.get(pk=rows[1].pk).due_at is not None


def test_a_table_the_backup_does_not_know_is_gone_afterwards(
    rows: list[FalRequest], tmp_path: Path
) -> None:
    backup.make(tmp_path / "a.backup")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE newer (request_id BIGINT REFERENCES requests_app_falrequest)")
    restored(tmp_path / "a.backup")
    assert "newer" not in connection.introspection.table_names()


def test_the_secret_key_and_the_sandbox_come_back(
    rows: list[FalRequest], data_dir: Path, settings: Any, tmp_path: Path
) -> None:
    made = backup.make(tmp_path / "a.backup")
    assert (made.secret_key, made.sandbox) == (True, True)
    (data_dir / "secret_key").write_text("another machine's")
    with closing(sqlite3.connect(data_dir / "sandbox.sqlite3")) as state, state:
        state.execute("UPDATE kept SET word = 'after'")
    restored(tmp_path / "a.backup")
    assert (data_dir / "secret_key").read_text() == settings.SECRET_KEY
    assert (data_dir / "secret_key").stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(data_dir / "sandbox.sqlite3")) as state:
        assert state.execute("SELECT word FROM kept").fetchone() == ("before",)


def test_a_secret_key_that_lies_elsewhere_is_noted_and_left_alone(
    data_dir: Path, settings: Any, tmp_path: Path
) -> None:
    settings.SECRET_KEY = "from the environment"
    assert not backup.make(tmp_path / "a.backup").secret_key
    kept = (data_dir / "secret_key").read_text()
    restored(tmp_path / "a.backup")
    assert (data_dir / "secret_key").read_text() == kept


def test_the_file_is_its_owners_alone_and_nothing_else_is_left(
    db: None, data_dir: Path, tmp_path: Path
) -> None:
    backup.make(tmp_path / "a.backup")
    assert (tmp_path / "a.backup").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.backup", "var"]


def test_a_file_that_is_there_is_never_written_over(db: None, tmp_path: Path) -> None:
    (tmp_path / "a.backup").write_text("mine")
    with pytest.raises(DumpError, match="exists already"):
        backup.make(tmp_path / "a.backup")
    assert (tmp_path / "a.backup").read_text() == "mine"


# --- refused, with nothing changed ------------------------------------------------------------------


def test_a_database_in_use_is_replaced_on_request_only(
    rows: list[FalRequest], tmp_path: Path
) -> None:
    backup.make(tmp_path / "a.backup")
    FalRequest.objects.update(summary="since")
    with pytest.raises(DumpError, match="--replace"):
        restored(tmp_path / "a.backup", replace=False)
    assert set(FalRequest.objects.values_list("summary", flat=True)) == {"since"}


def test_an_empty_database_needs_no_permission(rows: list[FalRequest], tmp_path: Path) -> None:
    backup.make(tmp_path / "a.backup")
    FalRequest.objects.all().delete()
    User.objects.all().delete()
    restored(tmp_path / "a.backup", replace=False)
    assert FalRequest.objects.count() == 3


def test_nothing_is_restored_under_a_running_worker(rows: list[FalRequest], tmp_path: Path) -> None:
    backup.make(tmp_path / "a.backup")
    Heartbeat.objects.create(part="sweep", at=timezone.now())
    with pytest.raises(DumpError, match="worker is running"):
        restored(tmp_path / "a.backup")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (manifest_says(database="oracle"), "backup is of oracle"),
        (manifest_says(migrations=["requests_app.9999_later"]), "newer version"),
        (manifest_says(format=2), "no backup that this version"),
        (manifest_says(more=1), "no backup that this version"),
        (lambda parts: parts.update({"manifest.json": b"[1]"}), "no backup that this version"),
        (lambda parts: parts.update({"manifest.json": b"{"}), "no backup that this version"),
        (lambda parts: parts.pop("manifest.json"), "lacks manifest"),
        (lambda parts: parts.pop("secret_key"), "lacks secret_key"),
        (lambda parts: parts.pop(NAMES[connection.vendor]), "lacks database"),
        (lambda parts: parts.update({NAMES[connection.vendor]: b"junk" * 999}), "cannot be used|pg_restore failed"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_in_a_sentence(
    rows: list[FalRequest], tmp_path: Path, edit: Edit, sentence: str
) -> None:
    backup.make(tmp_path / "a.backup")
    edited(tmp_path / "a.backup", edit)
    before = stored()
    with pytest.raises(DumpError, match=sentence):
        restored(tmp_path / "a.backup")
    assert stored() == before


@pytest.mark.parametrize("body", [b"", b"not a tar at all", b"\0" * 5000])
def test_a_file_that_is_no_backup_is_refused(db: None, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "junk").write_bytes(body)
    with pytest.raises(DumpError, match=r"not a whole backup|lacks manifest"):
        restored(tmp_path / "junk")


def test_a_backup_that_was_cut_off_changes_nothing(rows: list[FalRequest], tmp_path: Path) -> None:
    backup.make(tmp_path / "a.backup")
    whole = (tmp_path / "a.backup").read_bytes()
    (tmp_path / "a.backup").write_bytes(whole[: len(whole) // 2])
    before = stored()
    with pytest.raises(DumpError):
        restored(tmp_path / "a.backup")
    assert stored() == before


@pytest.mark.parametrize("with_copies", [True, False])
def test_kept_media_come_back_with_the_rows_that_name_them(
    rows: list[FalRequest], team: Team, tmp_path: Path, settings: Any, with_copies: bool
) -> None:
    folder = settings.DATA_DIR / "copies"
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "copies": local}
    names = [f"{team.pk}/ab/{'ab' * 32}-{number:012x}" for number in range(3)]
    for name in names:
        KeptFile.objects.create(
            team=team, sha256=name[-64:], size=3, name=name, created_at=timezone.now(),
            stored_at=timezone.now(),
        )  # fmt: skip
    for name in names[:2]:  # the third is lost
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"cat")
    assert backup.make(tmp_path / "a.backup", with_copies=with_copies).copies == 3 * with_copies
    for name in names[:2]:
        (folder / name).unlink()

    def forge(parts: dict[str, bytes]) -> None:
        parts["copies/../../outside"] = b"no"

    restored(edited(tmp_path / "a.backup", forge))
    there = sorted(path.name for path in folder.rglob("*") if path.is_file())
    assert there == ([name.rpartition("/")[2] for name in names[:2]] if with_copies else [])
    assert not (tmp_path / "outside").exists()
    assert KeptFile.objects.count() == 3
