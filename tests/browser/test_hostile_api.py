"""Hostile texts through every operation of the API that takes one, and then every page of the team: nothing happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser.hostile_api import BODIES, NO_TEXTS, calls, operations
from tests.browser.test_hostile_texts import NO_PAGES, Hostile
from tests.ports import free_port
from tests.process.serving import Serving

FILL = "from tests.browser import hostile_api; print(hostile_api.fill())"
MOST_ROWS = 40  # pages of requests that the calls have made


def test_every_operation_that_reads_a_body_is_tried_or_has_a_reason() -> None:
    assert operations() == set(BODIES) | set(NO_TEXTS)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory, window: Browser) -> Iterator[Hostile]:
    serving = Serving(tmp_path_factory.mktemp("hostile-api"), SANDBOX_PORT=str(free_port()))
    told = serving.fill(FILL)
    with serving:
        headers = {"Authorization": f"Bearer {told['token']}"}
        with httpx.Client(base_url=serving.url, headers=headers, timeout=90) as http:
            told["answers"], told["rows"] = send_all(http, told["known"])
        made = Hostile(serving, told, window)
        yield made
        made.context.close()


def send_all(
    http: httpx.Client, known: dict[str, object]
) -> tuple[dict[str, Counter[int]], list[str]]:
    """Make all calls; how often each operation answered what, and the pages of requests that were made."""
    answers: dict[str, Counter[int]] = {operation: Counter() for operation in BODIES}
    rows = []
    for operation, method, path, body in calls(known):
        reply = http.request(method, path, json=body)
        answers[operation][reply.status_code] += 1
        if operation == "POST requests/" and reply.status_code < 300:
            rows.append(f"/requests/{reply.json()['id']}/")
    return answers, rows


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.process
@pytest.mark.timeout(900)
def test_each_operation_takes_them_or_says_what_is_wrong(sent: Hostile) -> None:
    broken = {
        name: seen
        for name, seen in sent.told["answers"].items()
        if any(code >= 500 for code in seen)
    }
    assert broken == {}
    untaken = [
        name for name, seen in sent.told["answers"].items() if not any(code < 300 for code in seen)
    ]
    assert untaken == []


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.process
@pytest.mark.timeout(900)
def test_all_pages_show_them_as_text(sent: Hostile) -> None:
    routes = [
        path
        for name, paths in sent.told["routes"].items()
        if name not in NO_PAGES
        for path in paths
    ]
    rows = sent.told["rows"][:: max(1, len(sent.told["rows"]) // MOST_ROWS)]
    assert len(routes) > 80 and len(rows) >= MOST_ROWS // 2
    again = [f"/requests/new/?again={row.split('/')[2]}" for row in rows[::8]]
    sent.found.clear()
    troubles = {
        path: status for path in [*routes, *rows, *again] if (status := sent.visit(path)) >= 500
    }
    assert (troubles, sent.found) == ({}, [])
