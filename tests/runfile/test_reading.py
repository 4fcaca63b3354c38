"""A run's file is read whole or refused with a sentence, and what is imported goes out again as it came."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Team
from requests_app.runfile import zip_reading
from requests_app.runfile.reading import ReadRun, read_run
from requests_app.runfile.writing import FileNote, content_digest
from requests_app.runfile.zip_reading import NotARunFile
from tests.builders import make_request
from tests.runfile.test_writing import ended, opened

__all__ = ["ended"]  # the fixture

Files = dict[str, bytes]


def files_of(row: FalRequest) -> Files:
    archive = opened(row)
    return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files, twice: str = "") -> io.BytesIO:
    """A zip of them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        if twice:
            archive.writestr(twice, files[twice])
    made.seek(0)
    return made


def signed(files: Files, change: Callable[[dict[str, Any]], object] = lambda run: None) -> Files:
    """The files with a run.json that fits them, as a careful hand would write it."""
    run = json.loads(files["run.json"])
    change(run)
    notes = [
        FileNote(name, len(data), hashlib.sha256(data).hexdigest())
        for name, data in files.items()
        if name != "run.json"
    ]
    run["files"] = [vars(note) for note in notes]
    run["content"] = content_digest({"request": run["request"], "tags": run["tags"]}, notes)
    return {**files, "run.json": json.dumps(run).encode()}


def read(files: Files) -> ReadRun:
    return read_run(packed(files))


def in_request(**columns: Any) -> Callable[[dict[str, Any]], object]:
    return lambda run: run["request"].update(columns)


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


HISTORY = b'{"kind": "a", "note": "%s", "heard_at": "2026-11-01T00:00:00Z"}\n' % (b"x" * 2**20)

REFUSED: list[tuple[Callable[[Files], Files], str]] = [
    (lambda f: {**f, "../../etc/passwd": b"x"}, "No file of a run is called '../../etc/passwd'."),
    (lambda f: {**f, "media/../x.png": b"x"}, "No file of a run is called"),
    (lambda f: {k: v for k, v in f.items() if k != "run.json"}, "has no run.json"),
    (lambda f: signed(f, lambda run: run.update(version=2)), "has version 2 of the format"),
    (lambda f: signed(f, lambda run: run.update(format="x")), "does not say that it is"),
    (lambda f: {**f, "input.json": b"{}"}, "input.json is not as run.json says"),
    (lambda f: {k: v for k, v in f.items() if k != "logs.jsonl"}, "logs.jsonl is missing"),
    (lambda f: {**f, "output.png": b"x"}, "output.png is not listed"),
    (
        lambda f: {**f, "run.json": f["run.json"].replace(b'"acme/img"', b'"acme/dear"')},
        "its digest of the content is another",
    ),
    (lambda f: {**f, "run.json": b"{"}, "run.json is not JSON."),
    (lambda f: {**f, "run.json": deep(70)}, "run.json is nested deeper than"),
    (lambda f: {**f, "run.json": b" " * (5 * 1024 * 1024)}, "run.json is larger than 4 MB."),
    (lambda f: {**f, "run.json": b'{"a": "\0"}'}, "run.json has a NUL character."),
    (lambda f: {**f, "run.json": b"\xff"}, "run.json is not UTF-8 text."),
    (lambda f: signed({**f, "input.json": deep(70)}), "nested deeper than"),
    (lambda f: signed({**f, "input.json": b"[]"}), "The input must be a JSON object"),
    (lambda f: signed({**f, "logs.jsonl": b'{"message": 1}\n'}), "logs.jsonl: timestamp:"),
    (lambda f: signed({**f, "frames.jsonl": b"nothing\n"}), "frames.jsonl is not JSON."),
    (lambda f: signed(f, in_request(endpoint_id="../x")), "The run cannot be kept"),
    (lambda f: signed(f, in_request(endpoint_id="a/b\0")), "The run cannot be kept"),
    (lambda f: signed(f, in_request(status="in_queue")), "had not ended"),
    (lambda f: signed(f, in_request(mode="odd")), "The mode is one of"),
    (lambda f: signed(f, in_request(output_size=1)), "another size"),
    (lambda f: signed(f, in_request(times={"created_at": "0001-01-01T00:00:00Z"})), "times.created_at"),
    (
        lambda f: signed({**f, "observations.jsonl": b'{"kind":"a","note":"","heard_at":"1700000000"}'}),
        "observations.jsonl: heard_at",
    ),
    (
        lambda f: signed({**f, "observations.jsonl": 9 * HISTORY}),
        "observations.jsonl is larger than 8 MB.",
    ),
    (lambda f: signed(f, in_request(id="x")), "run.json: request.id:"),
    (lambda f: signed(f, lambda run: run.update(tags=["a,b"])), "is no tag"),
]  # fmt: skip


def test_what_is_wrong_with_a_file_is_said(ended: FalRequest) -> None:
    files = files_of(ended)
    assert read(signed(files)).draft
    for change, sentence in REFUSED:
        with pytest.raises(NotARunFile) as refused:
            read(change(dict(files)))
        assert sentence in str(refused.value)


def test_what_is_no_zip_or_packed_to_burst_is_refused(
    ended: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = files_of(ended)
    whole = packed(files).getvalue()
    for data in (b"", b"no zip", whole[:-40], whole[: len(whole) // 2] + whole[-200:]):
        with pytest.raises(NotARunFile, match="zip"):
            read_run(io.BytesIO(data))
    with pytest.warns(UserWarning, match="Duplicate"):
        doubled = packed(files, twice="input.json")
    with pytest.raises(NotARunFile, match=r"input\.json stands twice"):
        read_run(doubled)
    with pytest.raises(NotARunFile, match="packed more than 400 times"):
        read({**files, "media/001.png": bytes(20 * 1024 * 1024)})
    with pytest.raises(NotARunFile, match="more files than the 5,000"):
        read({f"deliveries/{number:04}.body": b"" for number in range(5001)})
    monkeypatch.setattr(zip_reading, "MOST_UNPACKED", 1000)
    with pytest.raises(NotARunFile, match="larger than"):
        read(files)


def test_a_run_that_still_goes_on_is_not_taken(team: Any, owner: Any) -> None:
    with pytest.raises(NotARunFile, match="had not ended"):
        read(files_of(make_request(team=team, person=owner)))


def test_an_imported_run_goes_out_as_it_came(ended: FalRequest) -> None:
    other_team = Team.objects.create(name="Elsewhere")
    files = files_of(ended)
    run = read(files)
    row, is_new = lifecycle.import_run(
        run, team=other_team, person=ended.person, now=timezone.now()
    )
    again = files_of(row)
    assert is_new
    assert json.loads(again["run.json"])["content"] == run.content
    for name in files.keys() - {"run.json", "index.html"}:
        assert again[name] == files[name], name
