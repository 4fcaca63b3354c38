"""A trial of the gateway: programs call fal through it while gateway, web servers and workers are killed.

The processes are those of `rig`, with one more web server that callers use as the gateway: deploy/ does so.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.ports import free_port
from tests.rig.clients import Crowd
from tests.rig.evidence import Evidence
from tests.rig.gateway_checkers import CALLS, answered, body_of, judge, recorded
from tests.rig.gateway_clients import GatewayCaller, look_back
from tests.rig.history import History, read
from tests.rig.nemesis import WEATHERS, Nemesis, Plan
from tests.rig.processes import Program
from tests.rig.rig import Rig, answers_at
from tests.rig.services import Prepared
from tests.rig.trial import Verdict, gathered, wait_for_rest
from tests.rig.workload import Intent, intents

KILLED = ("gateway", "web", "worker")
CALM = WEATHERS[:1]
REST_S = 120.0
WAVE_S = 0.5
STARTED_S = 120.0


class GatewayRig(Rig):
    """The rig, and a process for calls of programs."""

    def _programs(self) -> Iterator[Program]:
        yield from super()._programs()
        self.gateway_port = port = free_port()
        words = ["manage.py", "serve", "--port", str(port)]
        yield self._ours("gateway-1", words, answers_at(port))


class GatewayNemesis(Nemesis):
    """Kills nothing that is not at work again, and nothing once the calls are over."""

    def __init__(self, rig: Rig, history: History, plan: Plan) -> None:
        super().__init__(rig, history, plan)
        self.is_over = threading.Event()

    def _kill(self, program: Program, down_s: float) -> None:
        program.wait_until_ready(STARTED_S)
        if not self.is_over.is_set():
            super()._kill(program, down_s)


def plan_of(kills: int, seconds: float, seed: int) -> Plan:
    """Return the harm of a trial: kills alone."""
    return Plan(seconds, kills, seed, flushes=0, weathers=CALM, kinds=KILLED)


def hold(
    folder: Path, prepared: Prepared, plan: Plan, *, requests: int, plant: str = "",
    rest_s: float = REST_S,
) -> Verdict:  # fmt: skip
    """Run it all; the folder keeps every log and the history."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    history, began = History(folder / "history.jsonl"), time.monotonic()
    work = [_in_a_wave(_direct(one)) for one in intents(requests, plan.seconds, plan.seed)]
    with GatewayRig(folder, prepared, history, plan.seed, plant) as rig:
        new_caller = _callers(rig, history)
        nemesis = GatewayNemesis(rig, history, plan)
        nemesis.start()
        try:
            Crowd(new_caller).work_off(work)
        finally:
            nemesis.is_over.set()
            nemesis.heal()
        wait_for_rest(rig, rest_s)
        _look_back(new_caller, history, work)
        evidence = gathered(rig, history)
    figures = {"total_s": round(time.monotonic() - began, 1), **_figures(evidence)}
    figures["missed"] = _missed_in(folder)
    return Verdict(judge(evidence), figures)


def _direct(intent: Intent) -> Intent:
    """Every third of the quick ones is a run: of few of them a trial tells little."""
    if intent.endpoint_id != "sandbox/echo" or intent.number % 3:
        return intent
    return replace(intent, mode="run", cancel_after=None)


def _in_a_wave(intent: Intent) -> Intent:
    """Many at once, as of a batch: when a process is killed then, many calls are under way."""
    return replace(intent, at=math.ceil(intent.at / WAVE_S) * WAVE_S, repeats=False)


def _callers(rig: GatewayRig, history: History) -> Callable[[str], GatewayCaller]:
    ports = [rig.gateway_port, rig.web_ports[0]]
    return lambda who: GatewayCaller(who, ports, rig.token, history)


def _look_back(
    new_caller: Callable[[str], GatewayCaller], history: History, work: list[Intent]
) -> None:
    submits = [op for op in answered(Evidence(history=read(history.path))) if op.f == "queue"]
    look_back(new_caller, submits, {intent.number: intent.endpoint_id for intent in work})


def _figures(evidence: Evidence) -> dict[str, object]:
    """For people. `unheard`: fal took it, and its caller had no answer; so many of them have a row."""
    done = answered(evidence)
    rows = {row.body for row in evidence.rows}
    unheard = {entry.body for entry in evidence.ledger} - {body_of(op) for op in done}
    return {
        "requests": sum(len(evidence.operations(f, "invoke")) for f in CALLS),
        "answered": dict(Counter(op.f for op in done)),
        "refused_or_unknown": sum(len(evidence.operations(f, "info")) for f in CALLS),
        "never_taken": sum(len(evidence.operations(f, "fail")) for f in CALLS),
        "taken_by_fal": len(evidence.ledger),
        "unheard": len(unheard),
        "unheard_recorded": len(unheard & rows),
        "rows": len(evidence.rows),
        "ends": dict(Counter(row.status for row in evidence.rows)),
        "lost": len(list(recorded(evidence))),
        "kills": dict(Counter(op.what["kind"] for op in evidence.operations("kill"))),
    }


def _missed_in(folder: Path) -> dict[str, int]:
    """What processes said they did not record, by reason."""
    said = [path.read_text(errors="replace") for path in folder.glob("*-*.log")]
    found = re.findall(r"through the gateway is not recorded: (\w+)", "\n".join(said))
    return dict(Counter(found))
