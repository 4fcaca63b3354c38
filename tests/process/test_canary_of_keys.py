"""A team's fal key, or the address of its notices, is in no file, log, page, export, backup, command line or environment of a real process."""

from __future__ import annotations

import base64
import re
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from requests_app.sandbox import SandboxServer
from tests.process.serving import Serving
from tests.process.test_secrets_in_logs import PASSWORD, logged_in

pytestmark = pytest.mark.process

SECRET = "canary7f3a9c-of-the-team"
KEY, WRONG = f"team:{SECRET}", f"gone:{SECRET}"
OWN = f"program:{SECRET}"  # passed on by the gateway
TEXTS = (SECRET, SECRET.encode().hex(), quote(KEY, safe=""))


def sightings(place: str, content: bytes) -> list[str]:
    """Where the secret is, also written in another way."""
    in_base64 = {base64.b64encode(b"x" * lead + SECRET.encode())[4:-4] for lead in range(3)}
    return [f"{place}: {one!r}" for one in [*(t.encode() for t in TEXTS), *in_base64] if one in content]  # fmt: skip


@pytest.fixture
def fal() -> Iterator[SandboxServer]:
    with SandboxServer(keys=frozenset({KEY, OWN})) as server:
        yield server


@pytest.fixture
def serving(tmp_path: Path, fal: SandboxServer) -> Iterator[Serving]:
    with Serving(
        tmp_path, FAL_KEY="id:of-the-installation", LOG_LEVEL="DEBUG", SANDBOX="0", NOTICE_HOSTS="127.0.0.1",
        FAL_RUN_URL=f"{fal.url}/run", FAL_QUEUE_URL=f"{fal.url}/queue",
        FAL_REST_URL=f"{fal.url}/rest", FAL_API_URL=f"{fal.url}/api",
        FAL_JWKS_URL=f"{fal.url}/rest/.well-known/jwks.json",
    ) as serving:  # fmt: skip
        yield serving


class Visitor:
    """A browser that keeps every reply it got."""

    def __init__(self, serving: Serving) -> None:
        self.http = httpx.Client(
            base_url=serving.url, cookies=logged_in(serving), timeout=60, follow_redirects=True
        )
        self.replies: list[tuple[str, bytes]] = []
        form = self.get("/settings/").text
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', form)
        team = re.search(r'name="made_for" value="(\w+)"', form)
        assert found and team
        self.fields = {"csrfmiddlewaretoken": found[1], "made_for": team[1]}

    def get(self, path: str) -> httpx.Response:
        return self._kept(path, self.http.get(path))

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self._kept(path, self.http.post(path, data={**self.fields, **fields}))

    def _kept(self, path: str, reply: httpx.Response) -> httpx.Response:
        self.replies.append((path, reply.content + str(reply.headers).encode()))
        return reply


def submit(serving: Serving, token: str, endpoint: str, mode: str) -> str:
    made = httpx.post(
        f"{serving.url}/api/v1/requests/",
        json={"endpoint_id": endpoint, "mode": mode, "input": {"prompt": "x"}},
        headers={"Authorization": f"Bearer {token}"}, timeout=60,
    )  # fmt: skip
    assert made.status_code == 201
    return str(made.json()["id"])


def wait_until_ended(serving: Serving, token: str, public_id: str) -> str:
    path = f"{serving.url}/api/v1/requests/{public_id}/?wait=60"
    end = time.monotonic() + 120
    while time.monotonic() < end:
        told = httpx.get(path, headers={"Authorization": f"Bearer {token}"}, timeout=90).json()
        if told["ended_at"]:
            return str(told["status"])
    raise AssertionError(f"{public_id} did not end")


@pytest.fixture
def visitor(serving: Serving) -> Iterator[Visitor]:
    """The owner of a team, who gives a good key, one that is none, and one that fal does not know."""
    serving.manage(
        "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    serving.manage("create_team", "Acme", "--owner", "ada")
    visitor = Visitor(serving)
    visitor.post("/settings/fal-keys/", key_name="main", secret=KEY, pattern="")
    visitor.post("/settings/fal-keys/", key_name="bad", secret=f"{KEY} x", pattern="acme/*")
    visitor.post("/settings/fal-keys/", key_name="wrong", secret=WRONG, pattern="sandbox/text")
    hook = {"kind": "webhook", "channel_name": "hook"}
    visitor.post("/settings/notices/channels/", address=f"https://127.0.0.1:9/{SECRET}", **hook)
    visitor.post("/settings/notices/channels/", address=f"ftp://127.0.0.1:9/{SECRET}", **hook)
    yield visitor
    visitor.http.close()


def submit_each(serving: Serving) -> list[str]:
    """Requests that end well, with the good key, and requests that fal refuses; their ids."""
    token = serving.manage("create_token", "--user", "ada", "--team", "Acme")
    calls = [(name, mode) for name in ("image", "text") for mode in ("queue", "run")]
    sent = {call: submit(serving, token, f"sandbox/{call[0]}", call[1]) for call in calls}
    # The installation's key is not one of fal's: what ended well was sent with the team's.
    ends = {call: wait_until_ended(serving, token, one) for call, one in sent.items()}
    assert ends == {call: "completed" if call[0] == "image" else "failed" for call in sent}
    return [*sent.values(), passed_on(serving, token)]


def passed_on(serving: Serving, token: str) -> str:
    """A request of a program that keeps its key to itself, to its end; the row's id."""
    queue = f"{serving.url}/gateway/t/{token}/queue/sandbox/echo"
    with httpx.Client(headers={"Authorization": f"Key {OWN}"}, timeout=60) as program:
        told = program.post(queue, json={"number": 1}).json()
        assert told["status_url"].startswith(f"{queue}/requests/")
        end = time.monotonic() + 120
        while program.get(told["status_url"]).json()["status"] != "COMPLETED":
            assert time.monotonic() < end, "fal did not end it"
            time.sleep(0.1)
        assert program.get(told["response_url"]).json()["doubled"] == 2
    mine = {"Authorization": f"Bearer {token}"}
    listed = f"{serving.url}/api/v1/requests/?endpoint_id=sandbox/echo"
    while not (rows := httpx.get(listed, headers=mine, timeout=60).json()["items"]):
        assert time.monotonic() < end, "it was not recorded"
        time.sleep(0.1)
    assert wait_until_ended(serving, token, rows[0]["id"]) == "completed"
    return str(rows[0]["id"])


def try_the_channel(visitor: Visitor) -> None:
    """The worker opens the address, and says what came of it."""
    visitor.post("/settings/notices/channels/1/test/")
    end = time.monotonic() + 120
    while "cannot be reached" not in visitor.get("/settings/notices/").text:
        assert time.monotonic() < end, "no answer stands in the log"
        time.sleep(0.5)


def in_process(serving: Serving) -> list[str]:
    """What of the process others on the machine could see."""
    assert serving.process
    proc = Path(f"/proc/{serving.process.pid}")
    both = {name: (proc / name).read_bytes() for name in ("cmdline", "environ")}
    return [one for name, content in both.items() for one in sightings(name, content)]


def test_the_key_of_a_team_is_nowhere_in_clear(
    serving: Serving, visitor: Visitor, tmp_path: Path
) -> None:
    for number in (1, 2):
        assert "Read prices" in visitor.post(f"/settings/fal-keys/{number}/test/").text
    try_the_channel(visitor)
    ids = submit_each(serving)
    pages = ["/requests/", "/settings/", *(f"/requests/{one}/" for one in ids)]
    for path in [*pages, *(f"/requests/export/?format={kind}" for kind in ("csv", "jsonl", "zip"))]:
        visitor.get(path)
    backup = tmp_path / "one.backup"
    serving.manage("backup", str(backup))
    files = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
    contents = [(str(file), file.read_bytes()) for file in (*files, backup, serving.log)]
    found = [one for place, content in contents for one in sightings(place, content)]
    found += [one for path, content in visitor.replies for one in sightings(path, content)]
    assert found + in_process(serving) == []
    # A backup alone does not open what is encrypted in it.
    with tarfile.open(backup) as archive:
        assert not [name for name in archive.getnames() if "encryption" in name]
