from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.models import Role, Status
from requests_app.search.index import write_entries
from tests.api.conftest import Caller
from tests.batches.conftest import make_batch
from tests.batches.test_feeding import turn


def _ids(caller: Caller, query: str = "") -> list[str]:
    return [item["id"] for item in caller.get(query).json()["items"]]


def test_the_list_is_the_teams_newest_first_without_large_parts(
    owner: Caller, stranger: Caller
) -> None:
    stranger.make()
    rows = [owner.make() for _ in range(3)]
    items = owner.get().json()["items"]
    assert [item["id"] for item in items] == [str(row.public_id) for row in reversed(rows)]
    assert not {"input", "output", "logs", "observations"} & set(items[0])


def test_pages_follow_each_other_without_gap_or_repeat_while_rows_arrive(owner: Caller) -> None:
    rows = [owner.make() for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = owner.get(f"?limit=3{cursor}").json()
        seen += [item["id"] for item in page["items"]]
        owner.make()
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [str(row.public_id) for row in reversed(rows)]


def test_pages_of_another_order_follow_each_other(owner: Caller) -> None:
    rows = [str(owner.make().public_id) for _ in range(3)]
    first = owner.get("?limit=2&sort=oldest").json()
    second = owner.get(f"?limit=2&sort=oldest&cursor={first['next_cursor']}").json()
    assert [item["id"] for item in first["items"] + second["items"]] == rows
    assert _ids(owner, "?sort=endpoint&mode=queue") == rows[::-1]
    assert owner.get("?sort=odd").status_code == 422


def test_a_full_last_page_has_no_next(owner: Caller) -> None:
    [owner.make() for _ in range(2)]
    assert owner.get("?limit=2").json()["next_cursor"] is None


def test_another_teams_cursor_is_refused(owner: Caller, stranger: Caller) -> None:
    [owner.make() for _ in range(2)]
    cursor = owner.get("?limit=1").json()["next_cursor"]
    for wrong in [cursor + "x", "5", uuid4(), "%00", "é", "a:b:c"]:
        assert owner.get(f"?cursor={wrong}").status_code == 422
    refused = stranger.get(f"?cursor={cursor}")
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "cursor"]


def test_each_filter_finds_its_rows(owner: Caller, teammate: Caller) -> None:
    old = owner.make("acme/old", created_at=timezone.now() - timedelta(days=2))
    done = owner.make(status=Status.COMPLETED, mode="run")
    hers = teammate.make("acme/two", input_text='{"prompt": "a red boat 100%"}')
    write_entries([hers.pk])
    moment = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    expected = {
        "?endpoint_id=acme/old": [old],
        "?status=completed": [done],
        "?status=completed&status=pending": [hers, done, old],
        "?mode=run": [done],
        "?person=tim": [hers],
        "?q=RED+boat": [hers],
        "?q=100%25": [hers],
        "?q=lighthouse": [done, old],
        "?q=lighthouse+by:me+-status:completed": [old],
        f"?created_before={moment}": [old],
        f"?created_after={moment}": [hers, done],
        "?person=tim&status=completed": [],
    }
    for query, rows in expected.items():
        assert _ids(owner, query) == [str(row.public_id) for row in rows], query


def test_the_requests_of_a_batch_are_found_by_its_id_in_its_team_alone(
    owner: Caller, stranger: Caller
) -> None:
    batch = make_batch(owner.team, owner.user, rows=2, name="zoo")
    owner.make()
    turn(batch)
    rows = [str(item.request.public_id) for item in batch.items.order_by("-number")]
    for query in (f"?batch={batch.public_id}", f"?q=batch:{batch.public_id}", "?q=batch:zoo"):
        assert _ids(owner, query) == rows
        assert _ids(stranger, query) == []
    assert _ids(owner, f"?batch={uuid4()}") == []


@pytest.mark.parametrize(
    "query",
    [
        "?batch=zoo",
        "?batch=",
        "?_connector=OR 1=1--",
        "?_negated=1",
        "?team__owner__password__startswith=p",
        "?order=prompt;drop",
        "?page=999999999",
        "?statuses=failed",
        "?status=FAILED",
        "?mode=x",
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?limit=1e400",
        "?limit=" + "9" * 5000,
        "?created_after=yesterday",
        "?created_after=2026-01-01T00:00:00",
        "?created_after=0001-01-01T00:00:00%2B14:00",
        "?created_before=9999-12-31T23:59:59-14:00",
        "?created_after=99999999999999999999",
        "?created_after=1764500000",
        "?created_before=0.5",
        "?created_before=-1.5e3",
        "?q=" + "x" * 201,
        "?q=%00",
        "?q=colour:red",
        "?person=a%00",
        "?endpoint_id=%00",
        "?endpoint_id=" + "x" * 301,
    ],
)
def test_a_bad_query_is_refused_clearly(owner: Caller, query: str) -> None:
    refused = owner.get(query)
    assert refused.status_code == 422
    [problem] = refused.json()["detail"]
    assert set(problem) == {"loc", "msg", "type"}
    assert problem["loc"][0] == "query"


def test_a_list_does_not_read_what_can_be_large(owner: Caller) -> None:
    owner.make()
    with CaptureQueriesContext(connection) as queries:
        owner.get()
    read = "".join(query["sql"] for query in queries)
    assert '"requests_app_falrequest"."summary"' in read
    for column in ["output", "input_text", "search_text"]:
        assert f'"requests_app_falrequest"."{column}"' not in read


def test_the_number_of_queries_does_not_grow_with_the_page(owner: Caller) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get().status_code == 200
        return len(queries)

    first = owner.make()
    count()  # the first call of a token also writes when it was used
    before = count()
    [owner.make(again_of=first) for _ in range(10)]
    assert count() == before <= 4


@pytest.mark.parametrize("sees", [True, False])
@pytest.mark.parametrize(
    "more",
    [
        {}, {"own_tags": ["Night", "zoo"]}, {"tags": {"project": "lake"}}, {"headers": {"X-One": "1"}},
        {"priority": "low", "start_timeout": 30}, {"input": {"prompt": "\u00e9\u4e2d", "seed": 12345678901234567890}},
    ],
)  # fmt: skip
def test_the_answer_to_a_submit_tells_what_a_read_tells(
    owner: Caller, sees: bool, more: dict[str, object]
) -> None:
    if not sees:
        owner.team.memberships.filter(user=owner.user).update(role=Role.MEMBER, sees_payloads=False)
    made = owner.post(body={"endpoint_id": "acme/img", "input": {"prompt": "a lake"}, **more})
    assert made.status_code == 201, made.content
    told, read = made.json(), owner.get(f"{made.json()['id']}/").json()
    assert told == {name: read[name] for name in told}
    assert told["hidden"] is not sees
