"""How long until a page shows it: a submitted request, and the end a webhook brings."""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.benchmarks.report import median_and_worst, table
from tests.benchmarks.stub import running
from tests.process.serving import Serving
from tests.signing import Signer, body_of

ROUNDS = 40
PASSWORD = "a long pass phrase"


def main() -> None:
    """Print the table."""
    signer = Signer()
    with tempfile.TemporaryDirectory() as folder, running(signer) as fal:
        serving = Serving(
            Path(folder),
            FAL_KEY="id:secret",
            FAL_QUEUE_URL=f"{fal}/queue",
            FAL_RUN_URL=f"{fal}/run",
            FAL_REST_URL=f"{fal}/rest",
            FAL_API_URL=f"{fal}/api",
            FAL_JWKS_URL=f"{fal}/jwks.json",
        )
        serving.environment["PUBLIC_URL"] = serving.url
        with serving:
            show(Reader(serving, fal, signer))


def show(reader: Reader) -> None:
    """Measure and print."""
    rounds = [reader.round() for _ in range(ROUNDS)]
    columns = ("until", "median", "95 %")
    rows = [(name, *median_and_worst([times[name] for times in rounds])) for name in rounds[0]]
    table(f"What a page sees ({ROUNDS} rounds; changes are collected for 100 ms)", columns, rows)


class Reader:
    """A person with the list open, and a program of the same team."""

    def __init__(self, serving: Serving, fal: str, signer: Signer) -> None:
        self.fal, self.signer = fal, signer
        self.http = httpx.Client(base_url=serving.url, follow_redirects=True)
        self.token = make_member(serving)
        self.log_in()
        self.socket = self.open(serving.url)

    def log_in(self) -> None:
        page = self.http.get("/accounts/login/")
        field = re.search(r'name="csrfmiddlewaretoken" value="(.+?)"', page.text)
        assert field, page.text
        form = {"login": "ada", "password": PASSWORD, "csrfmiddlewaretoken": field[1]}
        assert self.http.post(page.url, data=form).url.path == "/requests/"

    def open(self, url: str) -> ClientConnection:
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        socket = connect(
            f"{url.replace('http', 'ws', 1)}/ws/",
            additional_headers={"Cookie": cookies, "Origin": url},
        )
        socket.send(json.dumps({"type": "watch", "table": True}))
        assert json.loads(socket.recv(timeout=10))["type"] == "hello"
        return socket

    def round(self) -> dict[str, float]:
        """One request from submit to its end; seconds for each step."""
        began = time.perf_counter()
        public_id = self.submit()
        answered = time.perf_counter()
        self.until_shown(public_id, "")
        shown = time.perf_counter()
        self.until_shown(public_id, 'data-status="in_queue"')
        webhook, request_id = self.webhook_of(public_id)
        sent = time.perf_counter()
        self.deliver(webhook, request_id)
        accepted = time.perf_counter()
        self.until_shown(public_id, 'data-status="completed"')
        changed = time.perf_counter()
        self.row(public_id)
        return {
            "submit answered (API)": answered - began,
            "submit → row visible": shown - began,
            "webhook answered (after COMMIT)": accepted - sent,
            "webhook → row changed": changed - sent,
            "floor: fetch one row": time.perf_counter() - changed,
        }

    def submit(self) -> str:
        body = {
            "endpoint_id": "acme/img",
            "input": {"prompt": "a lighthouse at dusk"},
            "allow_duplicate": True,
        }
        headers = {"Authorization": f"Bearer {self.token}"}
        made = self.http.post("/api/v1/requests/", json=body, headers=headers)
        public_id: str = made.raise_for_status().json()["id"]
        return public_id

    def until_shown(self, public_id: str, sign: str) -> None:
        """As the page does: told by the socket, then fetched; what was told before is looked up."""
        if sign and sign in self.row(public_id):
            return
        while True:
            told = json.loads(self.socket.recv(timeout=10))
            mine = public_id in {row[0] for row in told.get("rows", [])}
            if mine and sign in self.row(public_id):
                return

    def row(self, public_id: str) -> str:
        text = self.http.get(f"/requests/rows/?ids={public_id}").raise_for_status().text
        assert "<tr" in text
        return text

    def webhook_of(self, public_id: str) -> tuple[str, str]:
        seen: dict[str, Any] = httpx.get(f"{self.fal}/seen").json()
        return next((url, key) for key, url in seen.items() if public_id in url)

    def deliver(self, url: str, request_id: str) -> None:
        body = body_of(request_id)
        headers = self.signer.headers(request_id, body)
        httpx.post(url, content=body, headers=headers).raise_for_status()


def make_member(serving: Serving) -> str:
    """A user with a team; their API token."""
    serving.manage(
        "createsuperuser", "--noinput", "--username=ada", "--email=ada@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    serving.manage("create_team", "Acme", "--owner=ada")
    return serving.manage("create_token", "--user=ada", "--team=Acme")
