"""Bulk actions over the API: counted first, never on more than expected, once per key, the team's alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from requests_app.models import ApiToken, BulkAction, FalRequest, Role, Status, TokenScope
from tests.api.conftest import Caller, join
from tests.bulk.conftest import counts, turn

BULK = "/api/v1/bulk/"


def post(who: Caller, path: str = "", body: Any = None, **headers: str) -> Any:
    return Client().post(
        BULK + path, body, content_type="application/json", headers=who.headers | headers
    )


def get(who: Caller, path: str = "", **query: Any) -> Any:
    return Client().get(BULK + path, query, headers=who.headers)


@pytest.fixture
def rows(owner: Caller) -> list[FalRequest]:
    return [owner.make(f"acme/n{number}") for number in range(3)]


def made(owner: Caller, **body: Any) -> BulkAction:
    reply = post(owner, body={"verb": "cancel", "q": "", "expected": 3} | body)
    assert reply.status_code == 201, reply.content
    return BulkAction.objects.get(public_id=reply.json()["id"])


def test_a_dry_run_counts_and_stores_nothing(owner: Caller, rows: list[FalRequest]) -> None:
    FalRequest.objects.filter(pk=rows[0].pk).update(status=Status.COMPLETED)
    reply = post(owner, body={"verb": "cancel", "q": "", "dry_run": True})
    assert (reply.status_code, reply.json()) == (
        200,
        {
            "eligible": 2,
            "left_out": [{"why": "It had already ended.", "count": 1}],
            "uncertain": 0,
        },
    )
    assert not BulkAction.objects.exists()


def test_an_action_is_followed_to_its_outcomes(owner: Caller, rows: list[FalRequest]) -> None:
    bulk = made(owner, reason="wrong prompt")
    shown = get(owner, f"{bulk.public_id}/").json()
    assert (shown["state"], shown["total"], shown["waiting"], shown["reason"]) == (
        "running",
        3,
        3,
        "wrong prompt",
    )
    turn(bulk)
    assert counts(bulk) == {"done": 3}
    first = get(owner, f"{bulk.public_id}/items/", limit=2, outcome="done").json()
    rest = get(owner, f"{bulk.public_id}/items/", after=first["next_after"]).json()
    found = [item["request"] for item in first["items"] + rest["items"]]
    assert found == [str(row.public_id) for row in rows]
    assert rest["next_after"] is None
    assert get(owner, f"{bulk.public_id}/").json()["state"] == "finished"
    assert [one["id"] for one in get(owner).json()["items"]] == [str(bulk.public_id)]


def test_ids_choose_the_teams_requests_alone(
    owner: Caller, stranger: Caller, rows: list[FalRequest]
) -> None:
    foreign = stranger.make()
    ids = [str(rows[0].public_id), str(foreign.public_id)]
    bulk = made(owner, ids=ids, q=None, expected=2)
    assert (bulk.total, bulk.by_hand) == (1, True)
    turn(bulk)
    foreign.refresh_from_db()
    assert foreign.status == Status.PENDING


def test_more_than_expected_does_nothing_and_says_the_numbers(
    owner: Caller, rows: list[FalRequest]
) -> None:
    reply = post(owner, body={"verb": "cancel", "q": "", "expected": 2})
    assert (reply.status_code, reply.json()["eligible"]) == (409, 3)
    assert not BulkAction.objects.exists()


def test_a_key_makes_one_action(owner: Caller, rows: list[FalRequest]) -> None:
    body = {"verb": "cancel", "q": "", "expected": 3}
    replies = [post(owner, body=body, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 200]
    assert replies[0].json()["id"] == replies[1].json()["id"]
    other = post(owner, body=body | {"reason": "x"}, **{"Idempotency-Key": "k"})
    assert other.status_code == 422
    assert "used before with another body" in other.json()["detail"][0]["msg"]
    assert BulkAction.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "place", "sentence"),
    [
        ({"verb": "cancel", "q": ""}, "expected", "a dry run tells"),
        ({"verb": "cancel", "expected": 1}, "q", "Give either ids"),
        ({"verb": "cancel", "q": "", "ids": ["0" * 32], "expected": 1}, "q", "Give either ids"),
        ({"verb": "cancel", "q": "status:odd", "expected": 1}, "q", "There is no status odd"),
        ({"verb": "explode", "q": "", "expected": 1}, "verb", "'cancel'"),
        ({"verb": "cancel", "ids": [], "expected": 1}, "ids", "at least 1"),
        ({"verb": "cancel", "ids": ["x"], "expected": 1}, "ids", "UUID"),
        ({"verb": "cancel", "q": "", "expected": -1}, "expected", "greater than or equal to 0"),
        ({"verb": "cancel", "q": "", "expected": "3"}, "expected", "integer"),
        ({"verb": "cancel", "q": "", "expected": 1, "odd": 1}, "odd", "xtra"),
        ({"verb": "cancel", "q": "", "expected": 1, "reason": "x" * 301}, "reason", "at most 300"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_done(
    owner: Caller, rows: list[FalRequest], body: Any, place: str, sentence: str
) -> None:
    reply = post(owner, body=body)
    assert reply.status_code == 422, reply.content
    [problem] = reply.json()["detail"]
    assert place in problem["loc"]
    assert sentence in problem["msg"]
    assert not BulkAction.objects.exists()


def test_it_is_paused_resumed_stopped_and_retried(owner: Caller, rows: list[FalRequest]) -> None:
    bulk = made(owner)
    for act, done, state in (
        ("pause", True, "paused"),
        ("pause", False, "paused"),
        ("resume", True, "running"),
        ("retry", False, "running"),
        ("stop", True, "stopped"),
        ("resume", False, "stopped"),
    ):
        shown = post(owner, f"{bulk.public_id}/{act}/").json()
        assert (shown["done"], shown["bulk"]["state"]) == (done, state)


def test_a_viewer_reads_and_a_stranger_finds_nothing(
    owner: Caller, teammate: Caller, stranger: Caller, rows: list[FalRequest]
) -> None:
    bulk = made(owner)
    assert get(teammate, f"{bulk.public_id}/").status_code == 200
    assert post(teammate, body={"verb": "cancel", "q": "", "dry_run": True}).status_code == 403
    for path in ("", "items/"):
        assert get(stranger, f"{bulk.public_id}/{path}").status_code == 404
    for act in ("pause", "resume", "stop", "retry"):
        assert post(teammate, f"{bulk.public_id}/{act}/").status_code == 403
        assert post(stranger, f"{bulk.public_id}/{act}/").status_code == 404
    assert get(stranger).json()["items"] == []
    refused = get(stranger, cursor=str(bulk.public_id))
    assert refused.status_code == 422


def test_tags_are_given_with_the_actions_that_need_them(
    owner: Caller, rows: list[FalRequest]
) -> None:
    bulk = made(owner, verb="tag", tags=["Draft"])
    turn(bulk)
    assert counts(bulk) == {"done": 3}
    assert get(owner, f"{bulk.public_id}/").json()["tags"] == ["draft"]
    for body in ({"verb": "tag"}, {"verb": "untag", "tags": ["a*"]}, {"tags": ["draft"]}):
        refused = post(owner, body={"verb": "cancel", "q": "", "expected": 3} | body)
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["body", "tags"]


def test_deleting_needs_the_role_and_the_scope(owner: Caller, rows: list[FalRequest]) -> None:
    FalRequest.objects.update(status=Status.COMPLETED, ended_at=timezone.now(), due_at=None)
    body = {"verb": "delete", "q": "", "expected": 3}
    member = join("mia", owner.team, Role.MEMBER)
    assert post(member, body=body).status_code == 403
    ApiToken.objects.filter(user=owner.user).update(scope=TokenScope.SUBMIT)
    assert post(owner, body=body).status_code == 403
    assert FalRequest.objects.count() == 3
    ApiToken.objects.filter(user=owner.user).update(scope=TokenScope.MANAGE)
    turn(made(owner, **body))
    assert not FalRequest.objects.exists()


def test_only_deletions_ask_fal(owner: Caller, rows: list[FalRequest]) -> None:
    refused = post(owner, body={"verb": "cancel", "q": "", "expected": 3, "at_fal": True})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "at_fal"]
    FalRequest.objects.update(status=Status.COMPLETED, ended_at=timezone.now(), due_at=None)
    made(owner, verb="payload", q="", expected=3, at_fal=True)
    assert BulkAction.objects.get().at_fal
