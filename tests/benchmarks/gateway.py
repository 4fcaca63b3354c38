"""What the gateway adds to a call, beside a plain pass-through proxy that records nothing, in one run.

GATEWAY_ROUNDS rounds of a submit, a poll, a result and a run, each of them directly, through the proxy and through the gateway, one
after the other. Proxy and gateway are served by the same Daphne; the gateway's process also records, and polls what it
recorded. The goal: 2 ms at the median, 5 ms at 99 %.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.latency import make_member
from tests.benchmarks.report import table
from tests.benchmarks.stub import running
from tests.process.serving import ROOT, Serving
from tests.signing import Signer

ROUNDS = int(os.environ.get("GATEWAY_ROUNDS", "2000"))
WARM_UP = 50
INPUT = {"prompt": "a lighthouse at dusk", "seed": 7}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running(Signer()) as fal, proxying(fal) as proxy:
        serving = Serving(
            Path(folder), FAL_KEY="id:secret", FAL_QUEUE_URL=f"{fal}/queue", FAL_RUN_URL=f"{fal}/run",
            FAL_API_URL=f"{fal}/api", FAL_REST_URL=f"{fal}/rest", FAL_JWKS_URL=f"{fal}/jwks.json",
        )  # fmt: skip
        with serving:
            key = f"Key bench:{make_member(serving)}"
            show({
                "direct": client(fal, "Key id:secret"),
                "plain proxy": client(proxy, "Key id:secret"),
                "gateway": client(f"{serving.url}/gateway", key),
            })  # fmt: skip


def client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": key}, timeout=30)


def show(ways: dict[str, httpx.Client]) -> None:
    """Measure and print."""
    times: dict[tuple[str, str], list[float]] = {}
    for number in range(-WARM_UP, ROUNDS):
        for way, http in ways.items():
            for call, took in one_round(http):
                if number >= 0:
                    times.setdefault((call, way), []).append(took * 1000)
    rows = []
    for call in ("submit", "status", "result", "run"):
        plain = sorted(times[call, "plain proxy"])
        for way in ways:
            took = sorted(times[call, way])
            added = [f"{at(took, share) - at(plain, share):+.2f} ms" for share in (0.5, 0.99)]
            shown = [f"{at(took, share):.2f} ms" for share in (0.5, 0.99)]
            rows.append((call, way, *shown, *(added if way == "gateway" else ("", ""))))
    columns = ("call", "way", "median", "99 %", "beside the proxy", "at 99 %")
    table(f"Added by the gateway ({ROUNDS} rounds)", columns, rows)


def at(took: list[float], share: float) -> float:
    return took[int(len(took) * share)]


def one_round(http: httpx.Client) -> Iterator[tuple[str, float]]:
    """Yield each call of a request's life and its seconds."""
    began = time.perf_counter()
    told = http.post("/queue/acme/img", json=INPUT).raise_for_status().json()
    yield "submit", time.perf_counter() - began
    path = f"/queue/acme/img/requests/{told['request_id']}"
    for call, where in (("status", f"{path}/status"), ("result", path)):
        began = time.perf_counter()
        http.get(where).raise_for_status()
        yield call, time.perf_counter() - began
    began = time.perf_counter()
    http.post("/run/acme/img", json=INPUT).raise_for_status()
    yield "run", time.perf_counter() - began


@contextmanager
def proxying(upstream: str) -> Iterator[str]:
    """A plain proxy in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.gateway", upstream]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def serve(upstream: str) -> None:
    """Pass every call on as it is."""
    from daphne.server import Server

    from dashboard import bounded
    from tests.dashboard.bounded_server import announce

    bounded.install(bounded.Limits())
    server = Server(plain(upstream), endpoints=["tcp:port=0:interface=127.0.0.1"])
    announce(server)
    server.run()


def plain(upstream: str) -> Any:
    """An application without keys, rules or a record."""
    import aiohttp

    sessions: list[aiohttp.ClientSession] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if not sessions:
            sessions.append(aiohttp.ClientSession(auto_decompress=False))
        body, has_more = b"", True
        while has_more:
            event = await receive()
            body, has_more = body + event["body"], event["more_body"]
        headers = {name.decode(): text.decode() for name, text in scope["headers"]}
        del headers["host"]
        call = sessions[0].request(
            scope["method"], upstream + scope["path"], headers=headers, data=body or None
        )
        async with call as response:
            head = [(name, text) for name, text in response.raw_headers]
            await send({"type": "http.response.start", "status": response.status, "headers": head})
            async for piece in response.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    return application


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
