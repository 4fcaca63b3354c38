"""Who kills and spoils: every kind of process at random moments, the wire by spells of bad weather."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass

import redis

from tests.rig.history import History
from tests.rig.processes import Program
from tests.rig.rig import KILLED, Rig

PAUSE_S = 23.0  # a lease is 20 s


@dataclass(frozen=True)
class Weather:
    """Chances of faults by kind of call, for a few seconds."""

    name: str
    chances: dict[str, dict[str, float]]
    away_s: float = 0.0


READS = {"502_before": 0.1, "429": 0.05, "reset_before": 0.1, "truncate": 0.1, "garbage": 0.05}
WEATHERS = (
    Weather("calm", {}),
    Weather("lost replies", {"submit": {"reset_after": 0.15, "drop_reply": 0.15}}),
    Weather(
        "bad gateways",
        {"submit": {"502_before": 0.1, "502_after": 0.2}, "status": READS, "list": READS},
    ),
    Weather("too many", {"submit": {"429": 0.5}, "status": {"429": 0.3}}),
    Weather("away", {}, away_s=2.0),
    Weather("cut short", {"submit": {"truncate": 0.2, "garbage": 0.1}, "result": READS}),
    Weather("lost calls", {"submit": {"reset_before": 0.1, "blackhole": 0.03}, "cancel": READS}),
    Weather("unheard", {"submit": {"swallow": 0.05}, "status": {"blackhole": 0.02}}),
    Weather("slow", {kind: {"delay": 0.5} for kind in ("submit", "status", "result", "webhook")}),
    Weather(
        "deaf",
        {
            "webhook": {"reset_before": 0.3, "drop_reply": 0.3, "502_after": 0.2},
            "submit": {"drop_reply": 0.1},
            "run": {"reset_after": 0.1},
        },
    ),
)

# All at once and more of it, for short trials that must bring a planted bug to light.
STORM = Weather(
    "storm",
    {
        "submit": {
            "slow_reply": 0.15,
            "drop_reply": 0.1,
            "502_after": 0.1,
            "delay": 0.2,
            "429": 0.1,
        },
        "webhook": {"drop_reply": 0.25, "reset_before": 0.6},
        "result": {"delay": 0.2},
    },
)


@dataclass(frozen=True)
class Plan:
    """How much harm. `seconds` is how long; `weathers` and `kinds` may be fewer for a short run.

    `pauses`: how often a worker is stopped (SIGSTOP) for longer than its leases last, then goes on.
    `without_redis`: how many requests are made at the end, when Redis is gone for good.
    """

    seconds: float
    kills: int
    seed: int
    flushes: int = 3
    pauses: int = 0
    without_redis: int = 0
    weathers: tuple[Weather, ...] = WEATHERS
    kinds: tuple[str, ...] = KILLED


class Nemesis:
    """One thread for each kind of harm."""

    def __init__(self, rig: Rig, history: History, plan: Plan) -> None:
        self._rig, self._history, self._plan = rig, history, plan
        self._began = 0.0
        self._threads = [
            threading.Thread(target=self._kill_often, args=[kind], name=f"nemesis-{kind}")
            for kind in plan.kinds
        ]
        self._threads.append(threading.Thread(target=self._change_weather, name="weather"))
        self._threads.append(threading.Thread(target=self._flush_often, name="flush"))
        self._threads.append(threading.Thread(target=self._pause_often, name="pause"))

    def start(self) -> None:
        """Returns at once."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def heal(self) -> None:
        """Returns when all harm has been done and undone."""
        for thread in self._threads:
            thread.join()
        self._rig.proxies.order({})
        for program in self._rig.programs.values():
            program.wait_until_ready()
        self._history.add("nemesis", "heal", "ok")

    def _moments(self, what: str, count: int, lasting_s: float = 0.0) -> list[float]:
        """Seconds from the start: one at random in each of `count` equal parts of the time."""
        chance = random.Random(f"{self._plan.seed} {what}")
        part = max(0.0, self._plan.seconds - lasting_s) / max(count, 1)
        return [part * number + chance.uniform(0, part * 0.8) for number in range(count)]

    def _sleep_until(self, moment: float) -> None:
        time.sleep(max(0.0, self._began + moment - time.monotonic()))

    def _kill_often(self, kind: str) -> None:
        chance = random.Random(f"{self._plan.seed} whom {kind}")
        for moment in self._moments(kind, self._plan.kills):
            self._sleep_until(moment)
            # One that stands still is spared: it shall go on, as one that was taken for dead.
            moving = [one for one in self._rig.of_kind(kind) if not one.is_paused]
            self._kill(chance.choice(moving), chance.uniform(0, 1))

    def _kill(self, program: Program, down_s: float) -> None:
        with program.lock:
            program.kill()
            self._history.add("nemesis", "kill", "ok", name=program.name, kind=program.kind)
            time.sleep(down_s)
            program.start()

    def _pause_often(self) -> None:
        """A process that stood still comes back after others have taken its rows for dead."""
        chance = random.Random(f"{self._plan.seed} whom to pause")
        for moment in self._moments("pause", self._plan.pauses, PAUSE_S):
            self._sleep_until(moment)
            program = chance.choice(self._rig.of_kind("worker"))
            self._history.add("nemesis", "pause", "ok", name=program.name)
            program.pause(PAUSE_S)

    def _flush_often(self) -> None:
        for moment in self._moments("flush", self._plan.flushes):
            self._sleep_until(moment)
            with contextlib.suppress(redis.RedisError):
                self._rig.redis.client().flushall()
                self._history.add("nemesis", "flush", "ok")

    def _change_weather(self) -> None:
        chance = random.Random(f"{self._plan.seed} weather")
        spells = list(self._plan.weathers)
        chance.shuffle(spells)
        length = self._plan.seconds / max(len(spells), 1)
        if length > 12:  # each of them more than once, rather than long
            spells *= round(length / 12)
            length = self._plan.seconds / len(spells)
        for number, weather in enumerate(spells):
            self._sleep_until(number * length)
            self._history.add("nemesis", "weather", "ok", name=weather.name)
            self._rig.proxies.order(weather.chances, weather.away_s)
