"""PostgreSQL away: nothing is said to be stored that is not, and soon after its return all is well.

In two ways: the server ends at once (`pg_ctl stop -m immediate`) and open transactions are lost; or it
lives and every connection to it breaks, so that a COMMIT may have counted unheard.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.rig.checkers import judge
from tests.rig.clients import Crowd
from tests.rig.evidence import Evidence
from tests.rig.history import History
from tests.rig.rig import Rig, answers_at
from tests.rig.services import Prepared, postgres_bin
from tests.rig.trial import Verdict, callers, collect, wait_for_rest
from tests.rig.wire import Wire
from tests.rig.workload import intents

WAYS = ("stopped", "cut off")
BEFORE_S, AWAY_S, AFTER_S = 8.0, 20.0, 12.0
# How many seconds after its return each works again; until an end there is what waited to be worked off.
BACK_S = {"ready": 5.0, "taken": 5.0, "ended": 20.0}
UNDER_WAY_S = 1.0  # for answers that were made before it went
PROBED_EVERY_S = 0.1
PATIENCE_S = 60.0


class WiredRig(Rig):
    """Every process of ours reaches PostgreSQL by a wire; the rig itself does not."""

    def _settings(self, prepared: Prepared) -> dict[str, str]:
        self.wire = Wire(self.postgres.port)
        url = f"postgres://faldeck@127.0.0.1:{self.wire.port}/faldeck"
        return {**super()._settings(prepared), "DATABASE_URL": url}

    def __enter__(self) -> WiredRig:
        self.wire.open()
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__(*_)
        self.wire.close()


@dataclass
class Away:
    """When it went and came back, and what worked again how many seconds later."""

    gone: float = 0.0
    back: float = 0.0
    later_s: dict[str, float] = field(default_factory=dict)


def hold(folder: Path, prepared: Prepared, way: str, *, requests: int, seed: int) -> Verdict:
    """One outage, with clients at work before, meanwhile and afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    history, away = History(folder / "history.jsonl"), Away()
    with WiredRig(folder, prepared, history, seed) as rig:
        with ThreadPoolExecutor(1) as pool:
            outage = pool.submit(_be_away, rig, way, away)
            work = intents(requests, BEFORE_S + AWAY_S + AFTER_S, seed)
            Crowd(callers(rig, history)).work_off(work)
            outage.result()
        history.add("nemesis", "heal", "ok")
        wait_for_rest(rig, PATIENCE_S)
        evidence = collect(rig, history)
    problems = judge(evidence)
    if found := [*_false_answers(evidence, away), *_late(away)]:
        problems["outage"] = found
    figures = {"rows": len(evidence.rows), "back_after_s": away.later_s}
    return Verdict(problems, figures)


def _be_away(rig: WiredRig, way: str, away: Away) -> None:
    time.sleep(BEFORE_S)
    with _stopped(rig) if way == "stopped" else _cut_off(rig):
        away.gone = time.time()
        time.sleep(AWAY_S)
    away.back = time.time()
    ports = rig.web_ports
    with ThreadPoolExecutor(2 * len(ports)) as pool:
        for port in ports:
            pool.submit(_until_ready, port, away)
            pool.submit(_until_ended, rig, port, away)


@contextlib.contextmanager
def _stopped(rig: WiredRig) -> Iterator[None]:
    program = rig.postgres.program
    with program.lock:  # or the supervisor would start it again
        command = [str(postgres_bin() / "pg_ctl"), "-D", str(rig.folder / "data")]
        stop = [*command, "-m", "immediate", "stop"]
        subprocess.run(
            stop, user=program.user, cwd=rig.folder, check=True, stdout=subprocess.DEVNULL
        )
        yield
        program.start()
        program.wait_until_ready()


@contextlib.contextmanager
def _cut_off(rig: WiredRig) -> Iterator[None]:
    rig.wire.cut()
    yield
    rig.wire.mend()


def _until_ready(port: int, away: Away) -> None:
    ready = answers_at(port, "/readyz")
    while time.time() < away.back + PATIENCE_S and not ready():
        time.sleep(PROBED_EVERY_S)
    away.later_s[f"ready {port}"] = round(time.time() - away.back, 1)


def _until_ended(rig: WiredRig, port: int, away: Away) -> None:
    """A new request, sent to this server until it takes it, and looked at until it has ended."""
    base, headers = f"http://127.0.0.1:{port}/api/v1/", {"Authorization": f"Bearer {rig.token}"}
    headers["Idempotency-Key"], who = f"after the outage {port}", f"probe-{port}"
    rig.history.add(who, "submit", "invoke", intent=who)
    body = {"endpoint_id": "sandbox/echo", "input": {"after": port}}
    with httpx.Client(base_url=base, headers=headers, timeout=PATIENCE_S) as client:
        row = _asked(client, away, "POST", "requests/", json=body)
        rig.history.add(who, "submit", "ok", intent=who, id=row["id"])
        away.later_s[f"taken {port}"] = round(time.time() - away.back, 1)
        while time.time() < away.back + PATIENCE_S and not row.get("ended_at"):
            time.sleep(PROBED_EVERY_S)
            row = _asked(client, away, "GET", f"requests/{row['id']}/")
        away.later_s[f"ended {port}"] = round(time.time() - away.back, 1)


def _asked(client: httpx.Client, away: Away, method: str, path: str, **options: object) -> dict:
    while time.time() < away.back + PATIENCE_S:
        with contextlib.suppress(httpx.TransportError):
            reply = client.request(method, path, **options)  # type: ignore[arg-type]
            if reply.is_success:
                return reply.json()
        time.sleep(PROBED_EVERY_S)
    raise TimeoutError(path)


def _false_answers(evidence: Evidence, away: Away) -> Iterator[str]:
    """A 2xx while nothing could be stored. (Rows that are missing are the other checkers' matter.)"""
    began, ended = away.gone + UNDER_WAY_S, away.back
    for op in evidence.operations("submit"):
        if began < op.t < ended:
            yield f"intent {op.what['intent']} was taken while the database was away"
    for post in evidence.posts:
        is_success = post.status is not None and 200 <= post.status < 300
        if post.kind == "webhook" and is_success and began < post.t < ended:
            yield f"a webhook of {post.key} was acknowledged while the database was away"


def _late(away: Away) -> Iterator[str]:
    for what, seconds in away.later_s.items():
        if seconds > BACK_S[what.split()[0]]:
            yield f"{what}: {seconds} s after the database was back"
