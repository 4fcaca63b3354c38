"""The results are whole and unchanged, however many steps the download takes."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from requests_app.batches import results
from requests_app.export.streaming import streamed
from requests_app.models import FalRequest
from tests.batches.conftest import make_batch
from tests.batches.test_feeding import end_open, turn


def finished(team, owner, output: bytes, rows: int = 1):
    batch = make_batch(team, owner, rows=rows)
    turn(batch)
    end_open(batch)
    turn(batch)
    FalRequest.objects.update(output=output, output_size=len(output))
    return batch


@pytest.mark.django_db(transaction=True)
def test_a_zip_of_several_steps_survives_connections_that_close_between_them(
    team, owner, monkeypatch
):
    monkeypatch.setattr(results, "AT_ONCE", 2)
    output = json.dumps("x" * 50_000).encode()
    batch = finished(team, owner, output, rows=5)
    pieces = []
    for piece in results.as_zip(batch):
        pieces.append(piece)
        connection.close()
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        outputs = [name for name in archive.namelist() if name.startswith("outputs/")]
        assert outputs == [f"outputs/{number}.json" for number in range(1, 6)]
        assert {archive.read(name) for name in outputs} == {output}


@pytest.mark.django_db(transaction=True)
def test_a_zip_larger_than_a_step_is_streamed_whole(team, owner):
    batch = finished(team, owner, json.dumps("x" * 50_000).encode(), rows=5)

    async def whole() -> bytes:
        return b"".join([piece async for piece in streamed(results.as_zip(batch))])

    with zipfile.ZipFile(io.BytesIO(async_to_sync(whole)())) as archive:
        assert (archive.testzip(), len(archive.namelist())) == (None, 8)


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\x7f", "\\n"])
def test_a_text_keeps_every_sign_and_a_record_is_one_line(team, owner, sign):
    output = f'{{"a":\r\n "x{sign}y",\n\r"b": 1.50}}'
    [line] = results.as_jsonl(finished(team, owner, output.encode()))
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    assert json.loads(line)["output"] == json.loads(output)


@pytest.mark.django_db(transaction=True)
def test_inline_files_are_files_of_the_zip_and_remote_ones_are_named_alone(team, owner):
    inline = f"data:image/png;base64,{base64.b64encode(b'png ' * 99).decode()}"
    remote = "https://v3.fal.media/files/a.png"
    output = json.dumps({"images": [{"url": inline}, {"url": remote}, {"url": inline + "AAAA"}]})
    batch = finished(team, owner, output.encode(), rows=10)
    with zipfile.ZipFile(io.BytesIO(b"".join(results.as_zip(batch)))) as archive:
        names = [name for name in archive.namelist() if name.startswith("files/")]
        assert names[:2] == ["files/01-1.png", "files/01-2.png"]
        assert len(names) == 20
        assert archive.read("files/10-1.png") == b"png " * 99
        readme = archive.read("README.txt").decode()
        assert "Files that an output names by address are not in this zip." in readme
        assert remote in archive.read("results.csv").decode()
