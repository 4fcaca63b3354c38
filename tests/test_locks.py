"""The locks: they fit what they lock, name the hash of every file, and nothing is installed without them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from requirements import locks
from tests import tools
from tests.source import kept_files, text_of

SOURCE = """\
# Web
Django==5.2.19
psycopg[binary,pool]==3.3.9   # PostgreSQL
"""
LOCK = """\
# Written by `make lock`.
django==5.2.19 \\
    --hash=sha256:aa
    # via -r requirements.txt
psycopg[binary, pool]==3.3.9 \\
    --hash=sha256:bb
    # via -r requirements.txt
sqlparse==0.5.5 \\
    --hash=sha256:cc
    # via django
"""


@pytest.mark.parametrize("source", locks.LOCKS)
def test_every_lock_fits_its_requirements(source: str) -> None:
    told = locks.differences(locks.ROOT / source, locks.ROOT / locks.LOCKS[source])
    assert not told, f"{told}: run `make lock`"


@pytest.mark.parametrize("lock", locks.LOCKS.values())
def test_every_package_of_a_lock_is_pinned_with_hashes_and_names_no_registry(lock: str) -> None:
    text = text_of(lock)
    entries = locks.entries(text)
    assert len(entries) == len(re.findall(r"^[A-Za-z0-9]", text, re.M))
    for (name, _), entry in entries.items():
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry), name
    assert "://" not in text
    assert "-index" not in text


def test_tests_run_on_the_versions_that_are_installed_for_use() -> None:
    used, tested = (
        set(locks.entries(text_of(locks.LOCKS[source])))
        for source in ("requirements.txt", "requirements-dev.txt")
    )
    assert used <= tested


def lacks(folder: Path, source: str, lock: str | None = LOCK) -> list[str]:
    (folder / "requirements.txt").write_text(source)
    if lock is not None:
        (folder / "lock.txt").write_text(lock)
    return locks.differences(folder / "requirements.txt", folder / "lock.txt")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (SOURCE, []),
        (SOURCE.replace("# Web", "# The web").replace("Django", "DJANGO"), []),
        (SOURCE + 'tzdata==1 ; sys_platform == "win32"\n', ["tzdata==1 is not in lock.txt."]),
        (SOURCE.replace("[binary,", "[binary,c,"), ["psycopg[c] is not in lock.txt."]),
        (
            SOURCE.replace("5.2.19", "5.2.20"),
            ["django==5.2.20 is not in lock.txt.", "django==5.2.19 of lock.txt is no longer asked for."],
        ),
        (
            SOURCE.partition("psycopg")[0],
            ["psycopg==3.3.9 of lock.txt is no longer asked for."],
        ),
        (SOURCE + "celery\n", ["requirements.txt: 'celery' names no exact version; write NAME==VERSION."]),
    ],
)  # fmt: skip
def test_a_lock_older_than_its_requirements_says_what_it_lacks(
    tmp_path: Path, source: str, told: list[str]
) -> None:
    assert lacks(tmp_path, source) == told


def test_a_missing_lock_is_told(tmp_path: Path) -> None:
    assert lacks(tmp_path, SOURCE, None) == ["lock.txt is missing."]


def test_what_is_included_counts(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("celery==5.7.0\n")
    assert lacks(tmp_path, SOURCE + "-r more.txt\n") == ["celery==5.7.0 is not in lock.txt."]


def test_the_message_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements.txt").write_text("Django==6\n")
    (tmp_path / "requirements/lock.txt").write_text(LOCK)
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    assert locks.check(["requirements.txt"]) == 1
    said = capsys.readouterr().err
    assert "requirements/lock.txt does not fit requirements.txt" in said
    assert "django==6 is not in lock.txt." in said
    assert "make lock" in said


def test_nothing_is_installed_without_hashes() -> None:
    """Every call of pip that installs or downloads, in what builds, tests or runs Faldeck."""
    places = ["Makefile", "tests/tools.py", "README.md"]
    places += [path for path in kept_files() if path.startswith((".ci/", "deploy/"))]
    bare = [
        f"{path}: {line.strip()}"
        for path in places
        for line in text_of(path).splitlines()
        if re.search(r"pip\b.*\b(install|download)\b", line)
        and "--require-hashes" not in line
        and "/client/faldeck" not in line
    ]
    assert not bare


def test_the_client_whose_tests_are_run_is_the_locked_one() -> None:
    assert f"=={tools.FAL_CLIENT} " in locks.entry("fal_client")
