"""One trial: start the rig, let clients and nemesis at it, wait until it has come to rest, judge."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.rig import evidence as evidence_of
from tests.rig.checkers import (
    converged_after_s,
    judge,
    lost,
    pages_late_s,
    register,
    taken_twice,
    unsettled,
)
from tests.rig.clients import Caller, Crowd, Reader, read_all
from tests.rig.evidence import Evidence
from tests.rig.history import History, Operation, read
from tests.rig.nemesis import Nemesis, Plan
from tests.rig.pages import OpenPage, log_in
from tests.rig.processes import wait_for
from tests.rig.rig import Rig
from tests.rig.services import Prepared
from tests.rig.workload import intents

REST_S = 90.0  # how long we wait for rest; the checker allows less
ASKED_EVERY_S = 1.0
WITHOUT_REDIS_S = 5.0  # for the submits of the last part
PAGES_CATCH_UP_S = 11.0  # how long we wait for open pages; the checker allows less


@dataclass(frozen=True)
class Verdict:
    """`problems` by checker; `figures` are for people."""

    problems: dict[str, list[str]]
    figures: dict[str, object]


def hold(
    folder: Path,
    prepared: Prepared,
    plan: Plan,
    *,
    requests: int,
    plant: str = "",
    rest_s: float = REST_S,
) -> Verdict:
    """Run it all; the folder keeps every log and the history."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    history = History(folder / "history.jsonl")
    began = time.monotonic()
    with Rig(folder, prepared, history, plan.seed, plant) as rig:
        ready = time.monotonic()
        with _open_pages(rig, history, prepared.password) as pages:
            _stress(rig, history, plan, requests)
            wait_for_rest(rig, rest_s)
            if plan.without_redis:
                _go_on_without_redis(rig, history, plan, requests)
                _wait_for_pages(rig, pages)
                history.add("nemesis", "redis_back", "ok")
        evidence = collect(rig, history)
        peaks = _peaks(rig)
    figures = {
        "start_s": round(ready - began, 1),
        "total_s": round(time.monotonic() - began, 1),
        **_figures(evidence),
        "peak_mb": peaks,
        "disk_mb": _size_of(folder) // 2**20,
        "tracebacks": evidence_of.tracebacks_in(folder, "w*-*.log"),
    }
    return Verdict(judge(evidence), figures)


def _stress(rig: Rig, history: History, plan: Plan, requests: int) -> None:
    new_caller = callers(rig, history)
    reader = Reader(new_caller("reader"))
    nemesis = Nemesis(rig, history, plan)
    reader.start()
    nemesis.start()
    try:
        Crowd(new_caller).work_off(intents(requests, plan.seconds, plan.seed))
        nemesis.heal()
    finally:
        reader.stop()


@contextmanager
def _open_pages(rig: Rig, history: History, password: str) -> Iterator[list[OpenPage]]:
    """One at each web server, open before anything is harmed."""
    cookies = log_in(rig.web_ports[0], password)
    pages = [
        OpenPage(f"page-{number}", port, cookies, history)
        for number, port in enumerate(rig.web_ports, 1)
    ]
    for page in pages:
        page.start()
    try:
        yield pages
    finally:
        for page in pages:
            page.close()


def _go_on_without_redis(rig: Rig, history: History, plan: Plan, before: int) -> None:
    """Redis only carries hints: with it gone, requests are taken and find their ends as well."""
    program = rig.redis.program
    with program.lock:  # or the supervisor would start it again
        program.kill()
        history.add("nemesis", "redis_gone", "ok")
        extra = intents(plan.without_redis, WITHOUT_REDIS_S, plan.seed, first=before)
        Crowd(callers(rig, history)).work_off(extra)
        history.add("nemesis", "heal", "ok")
        wait_for_rest(rig, REST_S)
        program.start()
        program.wait_until_ready()


def _wait_for_pages(rig: Rig, pages: list[OpenPage]) -> None:
    with rig.postgres.connect() as connection:
        versions = {row.id: row.seq for row in evidence_of.rows_of(connection)}
    with suppress(TimeoutError):
        wait_for("Pages", lambda: all(page.knows(versions) for page in pages), PAGES_CATCH_UP_S)


def callers(rig: Rig, history: History) -> Callable[[str], Caller]:
    """Makes a client of that name, which knows every web server."""
    return lambda who: Caller(who, rig.web_ports, rig.token, history)


def wait_for_rest(rig: Rig, seconds: float) -> None:
    """Returns when nothing is open any more, or after so long."""
    end = time.monotonic() + seconds
    with rig.postgres.connect() as connection:
        while (began := time.monotonic()) < end:
            _, at_fal = evidence_of.fal_of(rig.fal_state)
            open_at_fal = [request for request in at_fal if request.end is None]
            if not open_at_fal and not unsettled(evidence_of.rows_of(connection), at_fal):
                return
            took_s = time.monotonic() - began  # ten thousand rows are read each time
            time.sleep(max(ASKED_EVERY_S, 4 * took_s))


def collect(rig: Rig, history: History) -> Evidence:
    """All there is to judge, after a last look at every request; it closes the history."""
    caller = callers(rig, history)("last-reader")
    read_all(caller)
    caller.close()
    return gathered(rig, history)


def gathered(rig: Rig, history: History) -> Evidence:
    """All there is to judge; it closes the history."""
    history.close()
    ledger, at_fal = evidence_of.fal_of(rig.fal_state)
    with rig.postgres.connect() as connection, connection.transaction():
        # One picture: metrics and logs may still come in after all ends are found.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return Evidence(
            history=read(history.path),
            rows=evidence_of.rows_of(connection),
            heard=evidence_of.heard_of(connection),
            delivered=evidence_of.delivered_of(connection),
            ledger=ledger,
            at_fal=at_fal,
            posts=evidence_of.posts_of(rig.proxies.log),
        )


def _peaks(rig: Rig) -> dict[str, int]:
    """By kind of process, the most memory of one of those that run now; and the rig's own."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    kinds = {program.kind for program in rig.programs.values()}
    peaks = {kind: max(program.peak_mb for program in rig.of_kind(kind)) for kind in sorted(kinds)}
    return {**peaks, "rig": ours}


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _figures(evidence: Evidence) -> dict[str, object]:
    kills = Counter(op.what["kind"] for op in evidence.operations("kill"))
    spoilt = Counter(post.fault for post in evidence.posts if post.fault != "pass")
    restarts = Counter(op.what["name"] for op in evidence.operations("restart", "info"))
    return {
        "requests": len(evidence.rows),
        "ends": dict(Counter(row.status for row in evidence.rows)),
        "acknowledged": len({op.what["id"] for op in evidence.operations("submit")}),
        "lost": len(lost(evidence)),
        "taken_by_fal": len(evidence.ledger),
        "taken_twice": len(taken_twice(evidence)),
        "ends_changed": len(list(register(evidence))),
        "kills": dict(kills),
        "flushes": len(evidence.operations("flush")),
        "pauses": len(evidence.operations("pause")),
        "spoilt_posts": dict(spoilt),
        "restarted_by_supervisor": dict(restarts),
        "converged_after_s": round(converged_after_s(evidence), 1),
        "submit_s": _latencies(evidence.history),
        "submit_without_redis_s": _latencies(_without_redis(evidence.history)),
        "pages_late_s": {
            name: round(max(late), 1) for name, late in pages_late_s(evidence).items()
        },
    }


def _without_redis(history: list[Operation]) -> list[Operation]:
    names = [op.f for op in history]
    return history[names.index("redis_gone") :] if "redis_gone" in names else []


def _latencies(history: list[Operation]) -> list[float]:
    """Median, 99th percentile and longest of the submits' answers, clients' repeats included."""
    began: dict[tuple[str, int], float] = {}
    took = []
    for op in history:
        if op.f == "submit" and op.type == "invoke":
            began[op.who, op.what["intent"]] = op.t
        elif op.f == "submit" and (at := began.pop((op.who, op.what["intent"]), None)):
            took.append(op.t - at)
    took.sort()
    return (
        [round(took[int(share * (len(took) - 1))], 2) for share in (0.5, 0.99, 1)] if took else []
    )
