"""The command `faldeck` at a scripted peer: what it prints where, and how it ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from requests_app.client import calls
from requests_app.client.cli import main
from tests.client.test_package import ID, SUBMITTED, event, frame, line, log, row, status
from tests.fal.conftest import peer as peer
from tests.fal.peer import Peer, Step, events, reset, says


@pytest.fixture
def faldeck(peer: Peer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """faldeck("status", ID): its exit code, standard output and standard error."""
    monkeypatch.setenv("FALDECK_URL", peer.url)
    monkeypatch.setenv("FALDECK_TOKEN", "fdk_t")
    monkeypatch.setattr(calls, "MAX_DELAY_S", 0.01)

    async def run(*words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(_exit_code, words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def _exit_code(words: tuple[str, ...]) -> int:
    try:
        main(words)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


ENDED = row(output={"a": 1})
FOLLOWED = events(
    status(1, "in_queue", queue_position=3), status(2, "in_progress"), log(3, "warm\x1b[2J"),
    log(4, "done"), event("end", 4, ENDED),
)  # fmt: skip


async def test_run_prints_the_output_and_tells_the_rest_beside_it(faldeck: Any, peer: Peer) -> None:
    peer.will(SUBMITTED, FOLLOWED, says(200, ENDED))
    words = ("run", "acme/img", "prompt=a = b", "seed:=7", "-i", '{"seed": 1, "n": [2]}', "--json")
    code, out, err = await faldeck(*words)
    assert (code, json.loads(out)) == (0, {"a": 1})
    assert "warm\ufffd[2J\ndone" in err
    sent = json.loads(peer.requests[0].body)
    assert sent["input"] == {"seed": 7, "n": [2], "prompt": "a = b"}
    assert sent["allow_duplicate"] is False


async def test_each_command_prints_what_a_program_can_read(
    faldeck: Any, peer: Peer, tmp_path: Path
) -> None:
    async def out(*words: str) -> str:
        code, said, err = await faldeck(*words)
        assert code == 0, err
        return str(said).strip()

    peer.will(SUBMITTED)
    assert await out("submit", "acme/img", "--again") == ID
    peer.will(says(200, row("in_queue", queue_position=2)))
    assert await out("status", ID) == "in queue, position 2"
    peer.will(FOLLOWED)
    assert (await out("watch", ID)).splitlines() == [
        "in queue, position 3", "in progress", "completed",
    ]  # fmt: skip
    peer.will(FOLLOWED)
    assert (await out("logs", "-f", ID)).splitlines() == ["warm\ufffd[2J", "done"]
    peer.will(says(200, row(logs=[{"id": 1, **line("warm")}])))
    assert json.loads(await out("logs", ID, "--json"))["message"] == "warm"
    peer.will(FOLLOWED, says(200, {"raw": 1}))
    await out("result", ID, "-o", str(tmp_path / "a.json"))
    assert (tmp_path / "a.json").read_bytes() == b'{"raw": 1}'
    peer.will(SUBMITTED, events(frame(1, '{"a": 1}'), frame(2, '{"a": 2}'), event("end", 3, ENDED)))
    assert (await out("stream", "acme/img")).splitlines() == ['{"a": 1}', '{"a": 2}']
    listed = row(endpoint_id="acme/img", person="ada", created_at="2026", summary="a\tb")
    peer.will(says(200, {"items": [listed], "next_cursor": None}))
    assert await out("list", "status:failed", "fox") == (
        f"{ID}\tcompleted\tacme/img\tada\t2026\ta\ufffdb"
    )
    assert peer.requests[-1].query == {"limit": "20", "q": "status:failed fox"}
    peer.will(says(200, {"answer": "asked", "request": row()}))
    assert await out("cancel", ID) == ""


@pytest.mark.parametrize(
    ("words", "answers", "code", "sentence"),
    [
        (("result", ID), [events(event("end", 1, row("failed"))), says(200, row("failed"))], 1, "It failed."),
        (("run", "acme/img", "seed"), [], 2, "neither name=text nor"),
        (("run", "acme/img", "-i", "["), [], 2, "cannot be read"),
        (("status", ID), [says(404, {"detail": "Not found."})], 2, "Not found."),
        (("status", ID), [reset] * 10, 3, "does not answer"),
        (("submit", "acme/img"), [says(409, {"detail": "It runs.", "id": ID})], 5, f"It is {ID}"),
    ],
)  # fmt: skip
async def test_the_exit_code_tells_how_it_failed(
    faldeck: Any, peer: Peer, words: tuple[str, ...], answers: list[Step], code: int, sentence: str
) -> None:
    peer.will(*answers)
    ended, out, err = await faldeck(*words)
    assert (ended, out) == (code, "")
    assert sentence in err
