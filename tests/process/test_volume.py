"""Sizes at which a server falls over: bodies, results, logs, connections, readers that read nothing.

One real server for all, its memory from /proc. The sizes are those for continuous integration;
VOLUME=full has the whole ones (1 GB, 100,000 lines, 2,000 forgeries).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.benchmarks.latency import PASSWORD, make_member
from tests.forgeries import Sent, forgeries
from tests.process.large_fal import MB, LargeFal, digest_of, log_of, result_of
from tests.process.serving import Serving
from tests.signing import Signer, body_of

FULL = os.environ.get("VOLUME") == "full"
RESULT_MB = 1024 if FULL else 128
LINES = 100_000 if FULL else 20_000
FORGERIES = 2000 if FULL else 300
IDLE = int(os.environ.get("VOLUME_IDLE", "1000"))
STALLED = 20

pytestmark = [pytest.mark.process, pytest.mark.timeout(1200 if FULL else 300)]


@pytest.fixture(scope="module")
def fal() -> Iterator[LargeFal]:
    fal = LargeFal()
    yield fal
    fal.close()


@pytest.fixture(scope="module")
def serving(fal: LargeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    serving = Serving(
        tmp_path_factory.mktemp("volume"), FAL_KEY="id:secret", FAL_QUEUE_URL=fal.url,
        FAL_RUN_URL=fal.url, FAL_REST_URL=fal.url, FAL_API_URL=fal.url, FAL_JWKS_URL=f"{fal.url}/jwks.json",
        OUTPUT_LIMIT=str((RESULT_MB + 16) * MB),
    )  # fmt: skip
    serving.environment["PUBLIC_URL"] = serving.url
    with serving:
        yield serving


@pytest.fixture(scope="module")
def api(serving: Serving) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {make_member(serving)}"}
    with httpx.Client(base_url=f"{serving.url}/api/v1/", headers=headers, timeout=120) as client:
        finished(client, {})  # what is loaded late is loaded now
        yield client


@pytest.fixture(scope="module")
def browser(serving: Serving, api: httpx.Client) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.url, follow_redirects=True, timeout=60) as client:
        page = client.get("/accounts/login/")
        field = re.search(r'name="csrfmiddlewaretoken" value="(.+?)"', page.text)
        assert field
        form = {"login": "ada", "password": PASSWORD, "csrfmiddlewaretoken": field[1]}
        assert client.post(page.url, data=form).url.path == "/requests/"
        yield client


def submitted(api: httpx.Client, wish: dict[str, Any]) -> str:
    made = api.post(
        "requests/", json={"endpoint_id": "acme/img", "input": wish, "allow_duplicate": True}
    )
    public_id: str = made.raise_for_status().json()["id"]
    return public_id


def finished(api: httpx.Client, wish: dict[str, Any]) -> dict[str, Any]:
    """The row in the end."""
    public_id, end = submitted(api, wish), time.monotonic() + (600 if FULL else 150)
    while time.monotonic() < end:
        found = api.get("requests/", params={"limit": 10}).raise_for_status().json()["items"]
        row: dict[str, Any] = next(row for row in found if row["id"] == public_id)
        if row["status"] in ("completed", "failed", "cancelled"):
            return row
        time.sleep(0.2)
    raise AssertionError(row)


@contextmanager
def growth_below(serving: Serving, megabytes: int, what: str) -> Iterator[None]:
    """The process's greatest memory meanwhile is at most so much above that of before."""
    assert serving.process is not None
    proc = Path(f"/proc/{serving.process.pid}")
    (proc / "clear_refs").write_text("5")  # the peak starts anew
    before = memory(proc, "VmRSS")
    yield
    grown = (memory(proc, "VmHWM") - before) / MB
    print(f"\n{what}: memory +{grown:.0f} MB, {before / MB:.0f} MB before")
    assert grown <= megabytes


def memory(proc: Path, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", (proc / "status").read_text())
    assert found
    return int(found[1]) * 1024


# What comes from outside


MILLION = "{" + ",".join(f'"k{n}":0' for n in range(1_000_000)) + "}"  # 12 MB, legal JSON


def by_program(serving: Serving, api: httpx.Client, browser: httpx.Client) -> httpx.Response:
    body = f'{{"endpoint_id": "acme/img", "input": {MILLION}}}'
    with httpx.Client(headers=api.headers, timeout=120) as client:
        json_type = {"Content-Type": "application/json"}
        return client.post(f"{api.base_url}requests/", content=body, headers=json_type)


def by_form(serving: Serving, api: httpx.Client, browser: httpx.Client) -> httpx.Response:
    return posted(serving, browser, is_multipart=True)


def by_encoded_form(serving: Serving, api: httpx.Client, browser: httpx.Client) -> httpx.Response:
    return posted(serving, browser, is_multipart=False)


def posted(serving: Serving, browser: httpx.Client, *, is_multipart: bool) -> httpx.Response:
    with httpx.Client(cookies=browser.cookies, timeout=120) as client:
        page = client.get(f"{serving.url}/requests/new/").text
        names = ("csrfmiddlewaretoken", "made_for", "token")
        form = {name: field_of(page, name) for name in names}
        form |= {"endpoint_id": "acme/img", "mode": "queue", "input": MILLION}
        parts: Any = {name: (None, value) for name, value in form.items()}
        how = {"files": parts} if is_multipart else {"data": form}
        return client.post(f"{serving.url}/requests/new/", **how)


def field_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="(.+?)"', page)
    assert found, name
    return found[1]


@pytest.mark.parametrize("way", [by_program, by_form, by_encoded_form])
def test_four_inputs_of_a_million_keys_at_once_are_refused_and_take_no_server_away(
    serving: Serving, api: httpx.Client, browser: httpx.Client, way: Any
) -> None:
    with (
        growth_below(serving, 500, f"four inputs of a million keys, {way.__name__}"),
        ThreadPoolExecutor(4) as pool,
    ):
        posts = [pool.submit(way, serving, api, browser) for _ in range(4)]
        lived = 0
        while lived == 0 or not all(post.done() for post in posts):
            httpx.get(f"{serving.url}/healthz", timeout=60).raise_for_status()
            lived += 1
    for post in posts:
        reply = post.result()
        assert reply.status_code in (413, 422)
        assert "250,000 values" in reply.text or "takes 1,048,576 bytes" in reply.text
        assert len(reply.content) < MB
    assert api.get("requests/", params={"limit": 1}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/v1/requests/", "/hooks/fal/x/y"])
@pytest.mark.parametrize("framing", ["Content-Length: 1073741824", "Transfer-Encoding: chunked"])
def test_an_anonymous_gigabyte_is_refused_after_a_few_megabytes(
    serving: Serving, api: httpx.Client, path: str, framing: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n\r\n".encode()
    piece = b"%x\r\n%s\r\n" % (MB, bytes(MB)) if "chunked" in framing else bytes(MB)
    with (
        growth_below(serving, 10, f"1 GB to {path}, {framing}"),
        socket.create_connection(("127.0.0.1", serving.port), 30) as client,
    ):
        client.sendall(head)
        sent = sent_until_answered(client, piece)
        answer = client.recv(1000)
        assert answer.startswith(b"HTTP/1.1 413")
        assert sent <= (64 if "chunked" in framing else 8)


def sent_until_answered(client: socket.socket, piece: bytes) -> int:
    """Pieces sent until the server has something to say."""
    client.settimeout(0)
    for number in range(1024):
        view = memoryview(piece)
        while view:
            try:
                client.recv(1, socket.MSG_PEEK)
                client.settimeout(30)
                return number
            except BlockingIOError:
                pass
            try:
                view = view[client.send(view) :]
            except BlockingIOError:
                time.sleep(0.001)
    raise AssertionError("nobody stopped us")


@pytest.mark.long
def test_forgeries_are_refused_over_the_wire_and_the_genuine_one_is_taken(
    serving: Serving, api: httpx.Client, fal: LargeFal
) -> None:
    public_id = submitted(api, {"waits": True})
    other_id = submitted(api, {"waits": True})
    while not {public_id, other_id} <= set(fal.hooks):
        time.sleep(0.05)
    hook, request_id = fal.hooks[public_id]
    all_of_them = forgeries(fal.signer, request_id, seed=5)
    forged = islice(all_of_them, 8 * 512 - 64, 8 * 512 + FORGERIES)  # the last bits, and others
    answers = {refused(hook, one) for one in forged if is_sendable(one)}
    body = body_of(request_id)
    good = fal.signer.headers(request_id, body)
    for wrong in (f"{hook}x", hook.replace(public_id, other_id), f"{hook[:-1]}"):
        answers.add(refused(wrong, Sent("wrong address", good, body)))
    answers.add(refused(hook, Sent("wrong key", Signer().headers(request_id, body), body)))
    assert answers <= {202, 400, 401, 404, 409}  # 202: signed by fal, but stale: fal is asked
    assert api.get(f"requests/{public_id}/").json()["status"] == "in_queue"
    assert httpx.post(hook, content=body, headers=good).status_code == 200
    other, its_id = fal.hooks[other_id]
    foreign = fal.signer.headers(its_id, body_of(its_id), user_id="another-account")
    assert refused(other, Sent("foreign account", foreign, body_of(its_id))) == 401
    assert api.get(f"requests/{other_id}/").json()["status"] == "in_queue"


def refused(hook: str, sent: Sent) -> int:
    status = httpx.post(hook, content=sent.body, headers=sent.headers).status_code
    assert status != 200, sent
    return status


def is_sendable(sent: Sent) -> bool:
    """Whether HTTP carries it, and carries it as it is: spaces around a value are not part of it."""
    return all(v.isascii() and v.isprintable() and v == v.strip() for v in sent.headers.values())


# What comes from fal


def test_a_large_result_is_kept_and_given_out_byte_for_byte_in_little_memory(
    serving: Serving, api: httpx.Client, browser: httpx.Client
) -> None:
    with growth_below(serving, 64, f"result of {RESULT_MB} MB, stored"):
        row = finished(api, {"mb": RESULT_MB})
    assert (row["status"], row["output_size"]) == ("completed", sum(map(len, result_of(RESULT_MB))))
    with growth_below(serving, 64, f"result of {RESULT_MB} MB, downloaded"):
        digest = hashlib.sha256()
        with api.stream("GET", f"requests/{row['id']}/output/") as reply:
            for piece in reply.iter_raw():
                digest.update(piece)
    assert digest.hexdigest() == digest_of(result_of(RESULT_MB))
    with growth_below(serving, 64, f"page of a result of {RESULT_MB} MB"):
        shown = browser.get(f"/requests/{row['id']}/").raise_for_status()
    assert len(shown.content) < MB
    stalled_readers(serving, api, row["id"])


def stalled_readers(serving: Serving, api: httpx.Client, public_id: str) -> None:
    """They ask for all of it and read nothing; others are served meanwhile."""
    head = f"GET /api/v1/requests/{public_id}/output/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += f"Authorization: {api.headers['Authorization']}\r\n\r\n"
    clients = []
    with growth_below(serving, 256, f"{STALLED} stalled readers of {RESULT_MB} MB"):
        for _ in range(STALLED):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
            client.connect(("127.0.0.1", serving.port))
            client.sendall(head.encode())
            clients.append(client)
        for _ in range(10):
            api.get("requests/", params={"limit": 1}).raise_for_status()
            time.sleep(0.2)
    for client in clients:
        client.close()


@pytest.mark.parametrize("declared", [True, False])
def test_a_result_over_the_limit_is_refused_in_words_and_in_little_memory(
    serving: Serving, api: httpx.Client, declared: bool
) -> None:
    with growth_below(serving, 64, f"result over the limit, length told: {declared}"):
        row = finished(api, {"mb": RESULT_MB + 20, "declared": declared})
    assert (row["status"], row["error_type"]) == ("failed", "output_too_large")
    assert f"larger than {(RESULT_MB + 16) * MB} bytes" in row["error"]


def test_of_a_long_log_no_line_is_missing(
    serving: Serving, api: httpx.Client, browser: httpx.Client
) -> None:
    with growth_below(serving, 50, f"log of {LINES} lines"):
        row = finished(api, {"lines": LINES})
    shown = browser.get(f"/requests/{row['id']}/?tab=logs").raise_for_status()
    assert len(shown.content) < MB
    assert messages(browser, row["id"]) == [line["message"] for line in log_of(LINES)]


def messages(browser: httpx.Client, public_id: str) -> list[str]:
    """Every line the page can show, read as the page reads it."""
    found: list[str] = []
    last = "0"
    while True:
        text = browser.get(f"/requests/{public_id}/logs/", params={"after": last}).text
        lines = re.findall(r'data-line="(\d+)".*?log-message">(.*?)</span>', text, re.S)
        if not lines:
            return found
        found += [message for _, message in lines]
        last = lines[-1][0]


# Who only sits there


def test_many_idle_connections_cost_little_and_are_told_of_a_change(
    serving: Serving, api: httpx.Client, browser: httpx.Client
) -> None:
    with growth_below(serving, IDLE * 70 // 1024, f"{IDLE} idle sockets"):
        late = asyncio.run(idle(serving, api, browser))
    print(
        f"{IDLE} were told after {late[len(late) // 2]:.2f} s, 99 % after {late[-IDLE // 100]:.2f} s"
    )
    assert len(late) == IDLE
    assert late[-IDLE // 100] < 60


async def idle(serving: Serving, api: httpx.Client, browser: httpx.Client) -> list[float]:
    """Opens them all, then submits: seconds until each was told, sorted."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    address = f"{serving.url.replace('http', 'ws', 1)}/ws/"
    headers = {"Cookie": cookies, "Origin": serving.url}
    places = asyncio.Semaphore(50)

    async def opened() -> Any:
        async with places:
            page = await connect(
                address, additional_headers=headers, ping_interval=None, compression=None,
                open_timeout=60,
            )  # fmt: skip
            await page.send(json.dumps({"type": "watch", "table": True}))
            await page.recv()
            return page

    pages = await asyncio.gather(*(opened() for _ in range(IDLE)))
    began = time.monotonic()
    await asyncio.to_thread(submitted, api, {"waits": True})

    async def told(page: Any) -> float:
        await page.recv()
        return time.monotonic() - began

    late = await asyncio.gather(*map(told, pages))
    for page in pages:
        page.transport.abort()
    return sorted(late)
