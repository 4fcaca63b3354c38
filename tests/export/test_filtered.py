"""An export is whole, exact and in order, in pieces of bounded size."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.export import filtered
from requests_app.models import FalRequest, OutputPart
from tests.builders import make_request

REMOTE = "https://v3.fal.media/files/a.png"


def ended(team: Any, owner: Any, output: bytes, *, text: str = '{"n": 1}') -> FalRequest:
    """A request that completed with this output."""
    row = make_request(team=team, person=owner)
    now = timezone.now()
    FalRequest.objects.filter(pk=row.pk).update(
        status="completed", ended_at=now, due_at=None, input_text=text, output=output,
        output_size=len(output), output_type="application/json",
    )  # fmt: skip
    return FalRequest.objects.get(pk=row.pk)


def records(rows: Any = None) -> list[dict[str, Any]]:
    lines = b"".join(filtered.as_jsonl(rows or FalRequest.objects.all())).split(b"\n")
    assert lines.pop() == b""
    return [json.loads(line, parse_float=str, parse_int=str) for line in lines]


def table(rows: Any = None) -> list[dict[str, str]]:
    text = b"".join(filtered.as_csv(rows or FalRequest.objects.all())).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_inputs_and_outputs_are_exact_and_the_newest_comes_first(team, owner):
    ended(team, owner, b'{"seed": 9007199254740993}', text='{"scale": 7.50}')
    late = ended(team, owner, b'{\r\n"x": "\xe2\x80\xa8"}', text='{"big": 1E2}')
    newest, first = records()
    assert (newest["id"], newest["input"], newest["output"]) == (
        str(late.public_id),
        {"big": "1E2"},
        {"x": "\u2028"},
    )
    assert (first["input"], first["output"]) == ({"scale": "7.50"}, {"seed": "9007199254740993"})
    assert (first["status"], first["by"], first["endpoint_id"]) == ("completed", "olga", "acme/img")
    assert table()[1]["input"] == '{"scale": 7.50}'


def test_the_pages_join_without_a_gap_while_connections_close_and_new_rows_come(
    team, owner, monkeypatch
):
    monkeypatch.setattr(filtered, "AT_ONCE", 2)
    rows = [make_request(team=team, person=owner) for _ in range(5)]
    found = []
    for line in filtered.as_jsonl(FalRequest.objects.all()):
        found.append(json.loads(line)["id"])
        make_request(team=team, person=owner)
    assert found == [str(row.public_id) for row in reversed(rows)]


def test_what_is_still_open_has_no_output_and_no_end(team, owner):
    make_request(team=team, person=owner)
    [record] = records()
    assert (record["output"], record["ended_at"], record["status"]) == (None, None, "pending")
    [line] = table()
    assert (line["output"], line["ended_at"]) == ("", "")


def test_what_retention_has_removed_is_said_and_nothing_of_it_is_left(team, owner):
    row = ended(team, owner, b'{"secret": 1}', text='{"secret": 2}')
    assert lifecycle.remove_payload(row.pk, days=1, now=timezone.now())
    [record], [line] = records(), table()
    assert (record["removed"], record["input"], record["output"]) == (True, None, None)
    assert (line["input"], line["output"]) == ("Removed",) * 2
    assert "secret" not in json.dumps(record)


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@sum", "\t=1", "\r=1"])
def test_no_spreadsheet_runs_a_text(team, owner, text):
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(error=text)
    assert table()[0]["error"].startswith("'")


def test_what_no_cell_holds_is_left_out_of_the_csv_alone(team, owner):
    long = json.dumps({"text": "x" * 33_000})
    ended(team, owner, long.encode(), text=long)
    [line], [record] = table(), records()
    assert (line["input"], line["output"]) == ("", "")
    assert record["input"] == record["output"] == json.loads(long)


@pytest.mark.django_db(transaction=True)
def test_a_zip_has_the_tables_each_output_and_inline_files(team, owner, monkeypatch):
    monkeypatch.setattr(filtered, "AT_ONCE", 2)
    inline = "data:image/png;base64," + "cG5n" * 40
    body = json.dumps({"images": [{"url": inline}, {"url": REMOTE}]}).encode()
    rows = [ended(team, owner, body) for _ in range(3)]
    large = ended(team, owner, b'{"a": 1')
    FalRequest.objects.filter(pk=large.pk).update(output_size=10)
    OutputPart.objects.create(request=large, number=1, data=b"23}")
    pieces = []
    for piece in filtered.as_zip(FalRequest.objects.all()):
        pieces.append(piece)
        connection.close()
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert {f"outputs/{row.public_id}.json" for row in [*rows, large]} <= names
        assert {f"files/{row.public_id}-1.png" for row in rows} <= names
        assert archive.read(f"outputs/{large.public_id}.json") == b'{"a": 123}'
        assert REMOTE in archive.read("requests.csv").decode()
        assert "not in this zip" in archive.read("README.txt").decode()
        assert len(archive.read("requests.jsonl").splitlines()) == 4


def test_a_page_costs_two_queries_whatever_the_people_and_repeats(
    team, owner, teammate, django_assert_num_queries
):
    first = ended(team, owner, b"{}")
    for person in (owner, teammate, owner):
        make_request(team=team, person=person, again_of=first)
    with django_assert_num_queries(3):  # rows, their tags; the third finds that there are no more
        assert len(records()) == 4


def test_a_zip_asks_no_more_queries_for_more_outputs(team, owner, django_assert_num_queries):
    for number in range(4):
        ended(team, owner, b'{"n": %d}' % number)
    # Rows and tags and the end of both tables; outputs and their end.
    with django_assert_num_queries(3 + 3 + 2):
        assert b"".join(filtered.as_zip(FalRequest.objects.all()))
