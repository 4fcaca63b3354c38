"""What a killed process takes with it is in its journal, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from requests_app.fal.endpoints import EndpointId
from requests_app.gateway import journal
from requests_app.gateway.addresses import Address, Operation
from requests_app.gateway.callers import Caller
from requests_app.gateway.entries import CallEntry, EntryKind
from requests_app.gateway.exchange import Exchange
from requests_app.gateway.journal import Journal, left_by_others
from requests_app.gateway.owners import Owners
from requests_app.gateway.recording import Recording
from requests_app.gateway.rewriting import Rewriting
from requests_app.gateway.spool import Spool
from requests_app.gateway.upstream import Upstream
from requests_app.gateway.witness import SharedParts, witness_of
from requests_app.models import Mode
from tests.fal.peer import raw, reply
from tests.worker.conftest import peer as peer

# A process that writes two calls down, forgets one, says so and waits to be killed.
WRITER = """
import asyncio, pathlib, sys, time
sys.path.insert(0, sys.argv[2])
import django
django.setup()
from tests.gateway.test_journal import call
from requests_app.gateway.journal import Journal
async def main():
    journal = Journal(pathlib.Path(sys.argv[1]))
    first, second = call(b"first"), call(b"second")
    journal.note(first), journal.note(second), journal.forget(first.public_id)
    print("written", flush=True)
    time.sleep(60)
asyncio.run(main())
"""


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def call(input_: bytes = b"{}", **known: object) -> CallEntry:
    return CallEntry(
        kind=EntryKind.SUBMIT, team_id=1, person_id=1, endpoint_id="acme/img", mode=Mode.QUEUE,
        sent_at=1.0, input=input_, **known,  # type: ignore[arg-type]
    )  # fmt: skip


def left_in(folder: Path) -> list[bytes]:
    """The inputs of what ended processes left; it is read once."""
    return [one.input for entries in left_by_others(folder) for one in entries]


@contextmanager
def killed_writer(folder: Path) -> Iterator[None]:
    """While it lives its file is not taken; then it is killed."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
    command = [sys.executable, "-c", WRITER, str(folder), root]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"written\n"
        yield
        writer.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_process_leaves_what_it_had_not_forgotten(tmp_path: Path) -> None:
    with killed_writer(tmp_path):
        assert left_in(tmp_path) == []  # it runs
    assert left_in(tmp_path) == [b"second"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("operation", "length"), [("submit", True), ("direct", True), ("direct", False)]
)
async def test_a_call_is_written_down_before_it_leaves_and_before_the_end_of_its_answer_arrives(
    tmp_path: Path, peer: Any, operation: str, length: bool
) -> None:
    """So that nothing that a caller or fal knows is lost with the process. The database takes nothing here."""
    answer = b'{"request_id": "id-1"}'
    peer.will(
        reply(200, answer)
        if length
        else raw(HEAD + b"%x\r\n%s\r\n0\r\n\r\n" % (len(answer), answer))
    )
    address = Address(Operation(operation), f"{peer.url}/acme/img", EndpointId.parse("acme/img"))
    upstream, recording = Upstream(), Recording(never, Spool(tmp_path))
    exchange = Exchange("POST", address, [], [], Rewriting("a", "b"), upstream)
    parts = SharedParts(recording, Owners(never), never)
    exchange.witness = witness_of(
        parts, address, Caller(1, 1, "ada", ""), [], {}, exchange.hang_up, fal_key_id=None
    )
    seen: list[tuple[dict[str, Any], list[tuple[str, bytes]]]] = []

    async def send(event: dict[str, Any]) -> None:
        seen.append((event, [(one.failure, one.body) for one in under_way(tmp_path)]))

    body = {"type": "http.request", "body": b"{}"}
    gone = asyncio.Event()
    events_ = iter([body])

    async def receive() -> dict[str, Any]:
        if (event := next(events_, None)) is None:
            await gone.wait()
        return event or {"type": "http.disconnect"}

    await exchange.run(receive, send, asyncio.create_task)
    assert seen[0][1] in ([("broken", b"")], [("", answer)])
    told = [one for one in seen if one[0]["type"] == "http.response.body"]
    last = [left for event, left in told if event["body"] or not event.get("more_body")]
    assert last[-1] == [("", answer)]
    if length:  # with the last piece the caller has it all
        assert last[0] == [("", answer)]
    recording.stop()
    await upstream.aclose()


async def never(*_: Any) -> Any:
    await asyncio.Event().wait()


def under_way(folder: Path) -> list[CallEntry]:
    """What is written down of calls of this process."""
    [file] = folder.glob("*.journal")
    return list(journal._open_in(file.read_bytes()).values())


async def test_what_was_written_last_of_a_call_counts(tmp_path: Path) -> None:
    mine, one = Journal(tmp_path), call()
    mine.note(call(public_id=one.public_id, failure="broken"))
    mine.note(call(public_id=one.public_id, body=b"answer"))
    mine.close()
    assert [[(left.failure, left.body) for left in file] for file in left_by_others(tmp_path)] == [
        [("", b"answer")]
    ]


async def test_a_frame_that_was_cut_short_ends_what_is_read(tmp_path: Path) -> None:
    mine = Journal(tmp_path)
    mine.note(call(b"whole"))
    mine.note(call(b"cut"))
    mine.close()
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert left_in(tmp_path) == [b"whole"]


async def test_a_file_is_left_for_the_next_and_goes_with_its_last_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_OF_A_FILE", 1)
    mine, first, second = Journal(tmp_path), call(), call()
    mine.note(first)
    mine.note(second)
    assert len(list(tmp_path.iterdir())) == 2
    mine.forget(first.public_id)
    assert len(list(tmp_path.iterdir())) == 1
    mine.forget(second.public_id)
    mine.close()
    assert list(tmp_path.iterdir()) == []


async def test_no_input_stays_on_the_disk_once_nothing_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "EMPTIED_AFTER_S", 0.01)
    mine, one = Journal(tmp_path), call()
    mine.note(one)
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    mine.forget(one.public_id)
    async with asyncio.timeout(60):
        while file.stat().st_size:
            await asyncio.sleep(0.01)
    mine.close()


async def test_a_full_disk_stops_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, whole, lost = Journal(tmp_path), call(b"whole"), call(b"lost")
    mine.note(whole)
    with monkeypatch.context() as full:
        write = os.write
        full.setattr(os, "write", lambda to, data: write(to, data[:10]))
        mine.note(lost)
        mine.forget(lost.public_id)
    assert "unwritten" in caplog.text
    mine.note(call(b"after"))
    mine.close()
    assert left_in(tmp_path) == [b"whole", b"after"]


async def test_a_large_call_holds_up_no_other(tmp_path: Path) -> None:
    mine = Journal(tmp_path)
    mine.note(call(bytes(journal.MOST_OF_ONE)))
    assert list(tmp_path.iterdir()) == []
