"""The parts of the relay by themselves: what waits for a tab, and how a session's end is told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from requests_app.fal import NotSent, Refused, describe_close
from requests_app.models import Direction
from requests_app.record.frame import NewFrame
from requests_app.relay import Outbox, outcome
from requests_app.relay import outbox as outbox_module


class Tab:
    """Takes what the outbox sends; `is_open` cleared: it takes nothing."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.outbox = Outbox(self.take)

    async def take(self, message: str | bytes) -> None:
        await self.is_open.wait()
        self.got.append(json.loads(message) if isinstance(message, str) else message)

    async def all(self) -> list[Any]:
        self.outbox.close()
        await asyncio.wait_for(self.outbox.run(), 30)
        return self.got

    def frames(self, *numbers: int, size: int = 10) -> None:
        for number in numbers:
            self.outbox.frame(NewFrame(number, 0.0, "x" * size, size))


def numbers(messages: list[Any]) -> list[int]:
    return [f["number"] for m in messages if m["type"] == "frames" for f in m["frames"]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three frames of 800 bytes (1000 with what stands around them) fill a window."""
    monkeypatch.setattr(outbox_module, "WINDOW", 3000)


async def test_frames_in_a_row_are_one_message_and_keep_their_place_among_others() -> None:
    tab = Tab()
    tab.frames(1, 2)
    tab.outbox.put({"type": "sent", "ref": 1, "number": 2})
    tab.frames(3)
    got = await tab.all()
    assert [m["type"] for m in got] == ["frames", "sent", "frames"]
    assert (numbers(got), got[0]["last"]) == ([1, 2, 3], 2)


async def test_what_the_tab_sent_is_shown_together_with_its_answer_or_a_moment_later() -> None:
    tab = Tab()
    running = asyncio.create_task(tab.outbox.run())
    tab.outbox.frame(NewFrame(1, 0.0, "1", 1, direction=Direction.OUT))
    await asyncio.sleep(0)
    tab.frames(2)
    while not tab.got:
        await asyncio.sleep(0)
    tab.outbox.frame(NewFrame(3, 0.0, "3", 1, direction=Direction.OUT))
    async with asyncio.timeout(30):
        while len(tab.got) < 2:
            await asyncio.sleep(0.01)
    assert [m["last"] for m in tab.got] == [2, 3]
    tab.outbox.close()
    await running


async def test_a_full_window_opens_one_gap_and_nothing_more_is_pushed(small: None) -> None:
    tab = Tab()
    tab.frames(*range(1, 9), size=800)
    got = await tab.all()
    assert numbers(got) == [1, 2, 3]
    assert [m for m in got if m["type"] == "gap"] == [{"type": "gap", "from": 3}]


async def test_an_acknowledgement_in_time_lets_the_next_frames_through(small: None) -> None:
    tab = Tab()
    for number in range(1, 20):
        tab.frames(number, size=800)
        tab.outbox.acknowledged(number)
    assert numbers(await tab.all()) == list(range(1, 20))


async def test_what_is_held_follows_when_the_tab_has_caught_up(small: None) -> None:
    tab = Tab()
    tab.frames(1, 2, 3, 4, 5, size=800)
    tab.outbox.acknowledged(3)
    assert numbers(await tab.all()) == [1, 2, 3, 4, 5]


async def test_a_tab_that_is_behind_what_is_held_has_to_read_on(small: None) -> None:
    tab = Tab()
    tab.frames(*range(1, 11), size=800)  # 8, 9, 10 are held
    tab.outbox.acknowledged(5)
    await asyncio.sleep(0.05)
    tab.outbox.acknowledged(7)
    got = await tab.all()
    assert [m["from"] for m in got if m["type"] == "gap"] == [3, 5]
    assert numbers(got) == [1, 2, 3, 8, 9, 10]


async def test_a_tab_that_found_nothing_new_is_asked_again(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "AGAIN_S", 0.02)
    tab = Tab()
    tab.frames(*range(1, 11), size=800)
    tab.outbox.acknowledged(3)  # the record was not there yet
    await asyncio.sleep(0.1)
    assert [m["from"] for m in await tab.all() if m["type"] == "gap"] == [3, 3]


async def test_behind_the_end_of_a_full_record_it_goes_on_with_what_is_held(small: None) -> None:
    tab = Tab()
    tab.outbox.record_end = 3
    tab.frames(*range(1, 11), size=800)
    tab.outbox.acknowledged(3)
    got = await tab.all()
    assert numbers(got) == [1, 2, 3, 8, 9, 10]
    at = got.index({"type": "missed", "from": 4, "to": 7})
    assert numbers(got[at:]) == [8, 9, 10]


async def test_nothing_is_missed_when_all_behind_the_end_of_the_record_is_held(small: None) -> None:
    tab = Tab()
    tab.outbox.record_end = 4
    tab.frames(*range(1, 8), size=800)
    tab.outbox.acknowledged(4)
    got = await tab.all()
    assert numbers(got) == [1, 2, 3, 5, 6, 7]  # 4 was read from the record
    assert [m for m in got if m["type"] == "missed"] == []


@pytest.mark.parametrize(
    ("record_end", "missed", "shown"),
    [
        (2, [(4, 7)], [1, 2, 3, 8, 9, 10]),
        (5, [(6, 7)], [1, 2, 3, 8, 9, 10]),
        (9, [], [1, 2, 3, 10]),
        (2**31, [], [1, 2, 3]),
    ],
)
async def test_at_the_end_a_tab_gets_what_it_cannot_read(
    small: None, record_end: int, missed: list[tuple[int, int]], shown: list[int]
) -> None:
    tab = Tab()
    tab.outbox.record_end = record_end
    tab.frames(*range(1, 11), size=800)
    tab.outbox.finish({"type": "ended"})
    got = await tab.all()
    assert got[-1] == {"type": "ended"}
    assert [(m["from"], m["to"]) for m in got if m["type"] == "missed"] == missed
    assert numbers(got) == shown


async def test_what_is_held_for_a_tab_is_bounded(small: None) -> None:
    tab = Tab()
    tab.frames(*range(1, 1000), size=800)
    assert len(tab.outbox._held) == 3


async def test_a_large_frame_is_named_and_not_carried() -> None:
    tab = Tab()
    tab.frames(1, size=100_000)
    [message] = await tab.all()
    assert (message["frames"][0]["data"], message["frames"][0]["size"]) == (None, 100_000)


async def test_a_program_that_takes_nothing_holds_up_its_own_session_alone(small: None) -> None:
    tab = Tab()
    tab.is_open.clear()
    sending = asyncio.create_task(tab.outbox.run())
    tab.outbox.raw(bytes(2000))
    await asyncio.wait_for(tab.outbox.room(), 30)
    tab.outbox.raw(bytes(2000))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(tab.outbox.room(), 0.05)
    tab.is_open.set()
    await asyncio.wait_for(tab.outbox.room(), 30)
    tab.outbox.close()
    await sending
    assert tab.got == [bytes(2000)] * 2


@pytest.mark.parametrize(
    ("code", "kind", "status", "error_type"),
    [
        (1000, "normal", "completed", ""),
        (3008, "timeout", "completed", ""),
        (1006, "lost", "failed", "interrupted"),
        (1008, "refused", "failed", "refused"),
        (1009, "error", "failed", "session_error"),
    ],
)
def test_an_ending_says_the_same_to_row_and_tab(
    code: int, kind: str, status: str, error_type: str
) -> None:
    end = outcome.of_ending(describe_close(code, "why"))
    assert (end.news.status, end.news.error_type, end.news.sentence) == (
        status, error_type, end.sentence,
    )  # fmt: skip
    told = end.message()
    assert (told["kind"], told["code"], told["reason"], told["status"]) == (
        kind, code, "why", status,
    )  # fmt: skip
    assert told["sentence"] == end.sentence


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [(NotSent("no way"), "lost", None), (Refused("no", status_code=403), "refused", 403)],
)
def test_what_could_not_be_opened_has_failed(error: Any, kind: str, code: int | None) -> None:
    end = outcome.of_error(error)
    assert (end.kind, end.http_code, end.status, end.sentence) == (
        kind,
        code,
        "failed",
        str(error),
    )
    assert end.news.code == code
