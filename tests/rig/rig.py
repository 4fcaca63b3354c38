"""All processes of one installation, and the fal it uses, owned from start to end."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port
from tests.rig.history import History
from tests.rig.processes import Program, wait_for
from tests.rig.services import Postgres, Prepared, Redis, base_environment, copy_data

WEBS = WORKERS = BEATS = 2
KILLED = ("web", "worker", "beat", "redis", "postgres", "fal")  # kinds the nemesis may kill
SUPERVISED_EVERY_S = 0.2


class Proxies:
    """The two fault proxies: before fal, and before our web servers."""

    def __init__(self, folder: Path, fal: int, webs: list[int], seed: int) -> None:
        self.log = folder / "proxy.jsonl"
        self.log.touch()
        self.fal, self.front = free_port(), free_port()
        self._controls = {"proxy-fal": free_port(), "proxy-front": free_port()}
        self.programs = [
            self._program(folder, "proxy-fal", self.fal, [fal], seed),
            self._program(folder, "proxy-front", self.front, webs, seed + 1),
        ]

    def _program(
        self, folder: Path, name: str, port: int, upstreams: list[int], seed: int
    ) -> Program:
        command = [
            sys.executable, "-m", "tests.rig.proxy", "--port", str(port),
            "--control", str(self._controls[name]), "--log", str(self.log), "--seed", str(seed),
            *map(str, upstreams),
        ]  # fmt: skip
        return Program(
            name, command, base_environment(), folder / f"{name}.log", is_ready=listens_at(port)
        )

    def order(self, chances: dict[str, dict[str, float]], away_s: float = 0) -> None:
        """From now on these faults; `away_s`: fal refuses connections for so long (it blocks)."""
        for name, control in self._controls.items():
            order: dict[str, Any] = {"chances": chances}
            if name == "proxy-fal":
                order["away_s"] = away_s
            with socket.create_connection(("127.0.0.1", control), timeout=away_s + 10) as line:
                line.sendall(json.dumps(order).encode() + b"\n")
                line.makefile().readline()


def listens_at(port: int) -> Any:
    """Asks whether somebody listens there."""

    def ask() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return ask


class Rig:
    """Starts everything on entering, ends everything on leaving.

    `plant` is the name of a bug that every process of ours then has.
    """

    def __init__(
        self, folder: Path, prepared: Prepared, history: History, seed: int, plant: str = ""
    ) -> None:
        self.folder, self.history, self.token = folder, history, prepared.token
        self.plant = plant
        copy_data(prepared, folder)
        self.postgres, self.redis = Postgres(folder), Redis(folder)
        self.web_ports = [free_port() for _ in range(WEBS)]
        self._fal_port = free_port()
        self.proxies = Proxies(folder, self._fal_port, self.web_ports, seed)
        self.fal_state = folder / "fal.sqlite3"
        self._environment = self._settings(prepared)
        self.programs = {program.name: program for program in self._programs()}
        self._ending = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor")

    def _settings(self, prepared: Prepared) -> dict[str, str]:
        fal = f"http://127.0.0.1:{self.proxies.fal}"
        return {
            **base_environment(),
            "DATA_DIR": str(self.folder / "var"),
            "SECRET_KEY": prepared.secret_key,
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "FAL_KEY": "sandbox:sandbox",
            "FAL_RUN_URL": f"{fal}/run",
            "FAL_QUEUE_URL": f"{fal}/queue",
            "FAL_REST_URL": f"{fal}/rest",
            "FAL_API_URL": f"{fal}/api",
            "FAL_JWKS_URL": f"{fal}/rest/.well-known/jwks.json",
            "PUBLIC_URL": f"http://127.0.0.1:{self.proxies.front}",
            "RIG_PLANT": self.plant,
        }

    def _programs(self) -> Iterator[Program]:
        yield from (self.postgres.program, self.redis.program, *self.proxies.programs)
        yield self._fal()
        for number, port in enumerate(self.web_ports, 1):
            words = ["manage.py", "serve", "--port", str(port)]
            yield self._ours(f"web-{number}", words, answers_at(port))
        for number in range(1, WORKERS + 1):
            name = f"worker-{number}"
            words = ["celery", "-A", "dashboard", "worker", "--pool=threads", "-c4", "-n", name]
            yield self._ours(name, words, hears=number % 2 == 1)
        for number in range(1, BEATS + 1):
            name = f"beat-{number}"
            schedule = self.folder / f"{name}.schedule"
            words = ["celery", "-A", "dashboard", "beat", f"--schedule={schedule}"]
            yield self._ours(name, words)

    def _fal(self) -> Program:
        command = [
            sys.executable, "-m", "requests_app.sandbox", "--port", str(self._fal_port),
            "--state", str(self.fal_state), "--public-url", f"http://127.0.0.1:{self.proxies.fal}",
        ]  # fmt: skip
        return Program(
            "fal-1", command, base_environment(), self.folder / "fal.log",
            is_ready=listens_at(self._fal_port),
        )  # fmt: skip

    def _ours(
        self, name: str, words: list[str], is_ready: Any = lambda: True, *, hears: bool = True
    ) -> Program:
        """The very command an operator uses; only a planted bug needs a way in.

        Unless it `hears`, what it sends asks for no webhook: an answer that is lost has to be found in
        fal's list.
        """
        if self.plant:
            command = [sys.executable, "-m", "tests.rig.planted", *words]
        elif words[0] == "celery":
            command = [str(Path(sys.executable).parent / "celery"), *words[1:]]
        else:
            command = [sys.executable, *words]
        log = self.folder / f"{name}.log"
        environment = {**self._environment, **({} if hears else {"PUBLIC_URL": ""})}
        return Program(name, command, environment, log, is_ready=is_ready)

    def of_kind(self, kind: str) -> list[Program]:
        """All programs of the kind."""
        return [program for program in self.programs.values() if program.kind == kind]

    def __enter__(self) -> Rig:
        try:
            for program in self.programs.values():
                program.start()
                if program.kind not in ("web", "worker", "beat"):
                    program.wait_until_ready()
            self.wait_until_ready()
        except BaseException:
            self._end()
            raise
        self._supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._supervisor.join()
        self._end()

    def _end(self) -> None:
        for program in reversed(self.programs.values()):
            program.kill()

    def wait_until_ready(self) -> None:
        """Everything runs, and a worker has swept."""
        for program in self.programs.values():
            program.wait_until_ready()
        wait_for("Readiness", self._is_ready, 60)

    def _is_ready(self) -> bool:
        return all(answers_at(port, "/readyz")() for port in self.web_ports)

    def _supervise(self) -> None:
        """What a service manager does: whatever ends by itself is started again."""
        while not self._ending.wait(SUPERVISED_EVERY_S):
            for program in self.programs.values():
                if program.lock.acquire(blocking=False):
                    try:
                        if not program.is_alive and not self._ending.is_set():
                            self.history.add("supervisor", "restart", "info", name=program.name)
                            program.start()
                    finally:
                        program.lock.release()


def answers_at(port: int, path: str = "/healthz") -> Any:
    """Asks whether the path answers 200."""

    def ask() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    return ask
