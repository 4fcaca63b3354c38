"""`python -m tests.rig`: hold a trial, or prove that the checkers find planted bugs.

    python -m tests.rig                     1,000 requests, 10 kills of each kind of process
    python -m tests.rig --full              10,000 requests, 100 kills of each kind
    python -m tests.rig --plants            every planted bug in a short trial of its own
    python -m tests.rig --plant NAME…       some of them
    python -m tests.rig --outage            PostgreSQL away for 20 s: stopped, and cut off
    python -m tests.rig --gateway           300 calls of programs through the gateway; --full: 10,000
    python -m tests.rig --gateway --plants  every bug of the gateway's; --plant NAME…: some of them

Exits with 1 when a promise was broken, or when a planted bug was not found.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.rig import gateway, gateway_plants, outage
from tests.rig.nemesis import STORM, Plan
from tests.rig.plants import PLANTS
from tests.rig.services import Prepared, prepare
from tests.rig.trial import Verdict, hold

SHOWN = 10  # problems of one checker
OF_REQUESTS = (
    "{requests} requests, {lost} lost, {taken_twice} taken twice, {ends_changed} ends changed, "
    "all found {converged_after_s} s after the last fault"
)
PAUSED_EVERY_S = 35.0
MOST_WITHOUT_REDIS = 100  # they come within seconds
PLANTED_REST_S = 30.0
OUTAGE_REQUESTS = 200


def arguments() -> argparse.Namespace:
    """Sizes not given are those of continuous integration."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.rig",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--requests", type=int)
    parser.add_argument("--kills", type=int, help="of each kind of process")
    parser.add_argument("--seconds", type=float, help="how long harm is done")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--plant",
        nargs="+",
        default=[],
        choices=sorted(PLANTS | gateway_plants.PLANTS),
        metavar="NAME",
    )
    parser.add_argument("--plants", action="store_true")
    parser.add_argument("--outage", action="store_true")
    parser.add_argument("--gateway", action="store_true")
    parser.add_argument("--folder", type=Path, help="where to keep history and logs")
    given = parser.parse_args()
    known = gateway_plants.PLANTS if given.gateway else PLANTS
    if strange := sorted(set(given.plant) - known.keys()):
        parser.error(f"not a bug of this trial: {', '.join(strange)}")
    return given


def main() -> None:
    """Everything happens in one folder, which stays only when it is named or something failed."""
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every process is ended
    folder = Path(given.folder or tempfile.mkdtemp(prefix="faldeck-rig-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # PostgreSQL's user has to reach its own folder below
    prepared = prepare(folder / "prepared")
    names = sorted(PLANTS) if given.plants else given.plant
    if given.gateway and (given.plants or given.plant):
        names = given.plant or ["", *sorted(gateway_plants.PLANTS)]
        found = [_gateway_plant_found(folder, prepared, name, given) for name in names]
        holds = all(found)
    elif given.gateway:
        holds = _through_the_gateway(folder, prepared, given)
    elif given.outage:
        holds = _outages(folder, prepared, given)
    else:
        holds = (
            _all_found(folder, prepared, names, given) if names else _one(folder, prepared, given)
        )
    if holds and not given.folder:
        shutil.rmtree(folder)
    elif not holds:
        print(f"history and logs: {folder}")
    sys.exit(not holds)


def _one(folder: Path, prepared: Prepared, given: argparse.Namespace) -> bool:
    requests, kills, seconds = (10_000, 100, 1500.0) if given.full else (1000, 10, 75.0)
    requests = given.requests or requests
    seconds = given.seconds or seconds
    plan = Plan(
        seconds,
        kills if given.kills is None else given.kills,
        given.seed,
        pauses=max(1, round(seconds / PAUSED_EVERY_S)),
        without_redis=min(requests // 20, MOST_WITHOUT_REDIS),
    )
    print(f"seed {plan.seed}: {requests} requests, {plan.kills} kills of each kind", flush=True)
    verdict = hold(folder / "trial", prepared, plan, requests=requests)
    _show(verdict, plan.seed, OF_REQUESTS)
    return not verdict.problems


def _show(verdict: Verdict, seed: int, summary: str) -> None:
    """Print what was found; `summary` takes its words from the figures."""
    for name, value in verdict.figures.items():
        print(f"{name:24} {json.dumps(value)}")
    _show_problems(verdict)
    outcome = "broken" if verdict.problems else "every promise held"
    print(f"{outcome} (seed {seed}): {summary.format(**verdict.figures)}", flush=True)


def _show_problems(verdict: Verdict) -> None:
    for checker, problems in verdict.problems.items():
        print(f"{checker}: {len(problems)} problems")
        for problem in problems[:SHOWN]:
            print(f"    {problem}")


def _through_the_gateway(folder: Path, prepared: Prepared, given: argparse.Namespace) -> bool:
    requests, kills, seconds = (10_000, 60, 600.0) if given.full else (300, 6, 30.0)
    requests, seconds = given.requests or requests, given.seconds or seconds
    plan = gateway.plan_of(kills if given.kills is None else given.kills, seconds, given.seed)
    print(f"seed {plan.seed}: {requests} calls, {plan.kills} kills of each kind", flush=True)
    verdict = gateway.hold(folder / "gateway", prepared, plan, requests=requests)
    _show(verdict, plan.seed, "{requests} calls through the gateway, {lost} lost")
    return not verdict.problems


def _gateway_plant_found(
    folder: Path, prepared: Prepared, name: str, given: argparse.Namespace
) -> bool:
    """The bug, by a checker that is meant to find it; without a name nothing."""
    plan = gateway.plan_of(
        2 if given.kills is None else given.kills, given.seconds or 10.0, given.seed
    )
    verdict = gateway.hold(
        folder / (name or "sound"), prepared, plan,
        requests=given.requests or 100, plant=name, rest_s=PLANTED_REST_S,
    )  # fmt: skip
    wanted = gateway_plants.PLANTS[name].found_by if name else frozenset()
    is_right = bool(wanted & verdict.problems.keys()) if name else not verdict.problems
    counts = {checker: len(problems) for checker, problems in verdict.problems.items()}
    print(
        f"{name or 'sound':32} {'ok' if is_right else 'WRONG':6} {json.dumps(counts)}", flush=True
    )
    return is_right


def _outages(folder: Path, prepared: Prepared, given: argparse.Namespace) -> bool:
    """PostgreSQL away, in each way."""
    all_held = True
    for way in outage.WAYS:
        requests = given.requests or OUTAGE_REQUESTS
        verdict = outage.hold(folder / way, prepared, way, requests=requests, seed=given.seed)
        print(f"PostgreSQL {way} for {outage.AWAY_S:g} s: {json.dumps(verdict.figures)}")
        _show_problems(verdict)
        all_held = all_held and not verdict.problems
    print("broken" if not all_held else "every promise held", f"(seed {given.seed})", flush=True)
    return all_held


def _all_found(
    folder: Path, prepared: Prepared, names: list[str], given: argparse.Namespace
) -> bool:
    """Each bug by a checker that is meant to find it; and nothing where there is none."""
    requests = given.requests or 150
    right = 0
    for name in ["", *names]:
        plan = Plan(
            given.seconds or 15.0,
            1 if given.kills is None else given.kills,
            given.seed,
            weathers=(STORM,),
            without_redis=requests // 20 if _needs_redis_gone(name) else 0,
        )
        verdict = hold(
            folder / (name or "sound"), prepared, plan,
            requests=requests, plant=name, rest_s=PLANTED_REST_S,
        )  # fmt: skip
        is_right = _is_right(verdict, name)
        right += is_right
        counts = {checker: len(problems) for checker, problems in verdict.problems.items()}
        mark = "ok" if is_right else "WRONG"
        print(f"{name or 'sound':32} {mark:6} {json.dumps(counts)}", flush=True)
    print(f"{right} of {len(names) + 1} judgements right, {len(names)} of them of planted bugs")
    return right == len(names) + 1


def _needs_redis_gone(name: str) -> bool:
    return not name or "live-pages" in PLANTS[name].found_by


def _is_right(verdict: Verdict, name: str) -> bool:
    if not name:
        return not verdict.problems
    return bool(PLANTS[name].found_by & verdict.problems.keys())


if __name__ == "__main__":
    main()
