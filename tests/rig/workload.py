"""Pure: what the clients will ask for. The same seed and size give the same work."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

GROUP, ALIKE = 20, 5


@dataclass(frozen=True)
class Intent:
    """One request a client wants exactly once. Its input is written like no other's.

    `at` and `cancel_after` are seconds (from the start, from the answer); `repeats`: the call is
    made again although it was answered, as by a client that lost the answer.
    """

    number: int
    at: float
    endpoint_id: str
    mode: str
    input: dict[str, Any]
    cancel_after: float | None
    repeats: bool


Make = Callable[[random.Random], tuple[str, str, dict[str, Any]]]


def _echo(chance: random.Random) -> tuple[str, str, dict[str, Any]]:
    return "sandbox/echo", "queue", {"delay_s": round(chance.uniform(0, 1), 2)}


def _slow(chance: random.Random) -> tuple[str, str, dict[str, Any]]:
    return "sandbox/slow", "queue", {"steps": 3, "seconds_per_step": 0.05}


def _patient(chance: random.Random) -> tuple[str, str, dict[str, Any]]:
    return "sandbox/patient", "queue", {"seconds": round(chance.uniform(0.5, 3), 2)}


def _crash(chance: random.Random) -> tuple[str, str, dict[str, Any]]:
    return "sandbox/crash", "queue", {"after_s": 0.1}


def _run(chance: random.Random) -> tuple[str, str, dict[str, Any]]:
    return "sandbox/echo", "run", {"delay_s": round(chance.uniform(0, 1), 2)}


def _stream(chance: random.Random) -> tuple[str, str, dict[str, Any]]:
    return "sandbox/text", "stream", {"prompt": "a lighthouse"}


KINDS: list[tuple[Make, int, float]] = [  # how it is made, its share, how often it is cancelled
    (_echo, 50, 0.05),
    (_slow, 15, 0.1),
    (_patient, 17, 0.5),
    (_crash, 8, 0.0),
    (_run, 5, 0.0),
    (_stream, 5, 0.1),
]


def intents(count: int, seconds: float, seed: int, *, first: int = 0) -> list[Intent]:
    """`count` of them, numbered from `first`, spread over `seconds` in the order of their time.

    The first `ALIKE` of every `GROUP` want the same at the same time: nobody can tell them apart by it.
    """
    chance = random.Random(f"{seed} {first}")
    times = sorted(chance.uniform(0, seconds) for _ in range(count))
    made = [_intent(number, at, seed, chance) for number, at in enumerate(times, first)]
    return [
        _alike(one, made[at - at % GROUP], at % GROUP) if at % GROUP < ALIKE else one
        for at, one in enumerate(made)
    ]


def _alike(one: Intent, leader: Intent, turn: int) -> Intent:
    """The leader's message, its names in another order: an equal value, other bytes."""
    value = {
        "message": leader.input["message"],
        "intent": leader.number,
        "delay_s": 0.2,
        "alike": 1,
        "of": ALIKE,
    }
    names = [*value][turn:] + [*value][:turn]
    return replace(
        one,
        at=leader.at,
        endpoint_id="sandbox/echo",
        mode="queue",
        input={name: value[name] for name in names},
        cancel_after=None,
    )


def _intent(number: int, at: float, seed: int, chance: random.Random) -> Intent:
    make, _, cancelled = chance.choices(KINDS, weights=[share for _, share, _ in KINDS])[0]
    endpoint_id, mode, given = make(chance)
    return Intent(
        number=number,
        at=at,
        endpoint_id=endpoint_id,
        mode=mode,
        input={**given, "message": f"intent {number} of {seed}", "intent": number},
        cancel_after=chance.uniform(0, 1.5) if chance.random() < cancelled else None,
        repeats=chance.random() < 0.05,
    )
