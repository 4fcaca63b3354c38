"""The index: what of a request is found, from which moment on, and that nothing stays of what is removed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Role, SearchEntry, Source, Status, Team
from requests_app.request_input import Draft
from requests_app.search import Matches, Scope, parse_search, scope
from requests_app.search.index import write_entries
from requests_app.upkeep import retention
from tests.builders import (
    hear,
    make_draft,
    make_log,
    make_person,
    make_queued,
    make_request,
    make_result,
    make_status,
)


def found(text: str, team: Team, me: str = "olga") -> list[int]:
    search = parse_search(text)
    assert not search.problems
    return Matches(Scope(team.pk, me, sees=True), search).newest(100)


@pytest.fixture
def ended(team: Team, owner: User) -> FalRequest:
    """A request with an input of every kind, a log and an output."""
    value = {
        "prompt": "a lighthouse at dusk", "seed": 42, "scale": 7.50, "safe": True, "mask": None,
        "image_size": {"width": 512}, "loras": [{"path": "acme/ink"}, {"path": "zoo/rain"}],
        "image": "data:image/png;base64,QUJDREVGRw==", "prompt_2": "", "big": 12345678901234567890,
    }  # fmt: skip
    row = make_queued(team=team, person=owner, input=value)
    hear(row, make_status("IN_PROGRESS", logs=[make_log("loading weights of kestrel")]))
    output = {
        "images": [{"url": "https://v3.fal.media/files/b/heron.png", "width": 640}],
        "seed": 7,
    }
    hear(row, make_result(output=output))
    row.refresh_from_db()
    return row


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "dusk", "DUSK", "light*", '"lighthouse at dusk"', "42", "7.5", "7.50", "512", "prompt", "image_size",
        "input.seed:42", "Input.Seed:42", "input.scale:7.5", "input.scale:7.500", "input.prompt:dusk",
        "input.safe:true", "input.mask:null", "input.image_size.width:512", "input.loras.path:zoo/rain",
        "input.big:12345678901234567890", "input.seed:42 dusk", "input.seed:41 input.seed:42",
        "output.seed:7", "output.images.url:heron.png", "heron", "640", "output.images.width:640", "kestrel",
        "id:req-1", "status:completed", "status:ended", "endpoint:acme/img", "endpoint:img",
        "mode:queue", "by:me", "after:1h", "duration:<1h", "duration:>=0s", "before:2100-01-01",
        "-input.seed:43", "-status:failed", "-endpoint:other/app", "-mode:run", "-by:tim", "-before:2d",
    ],
)  # fmt: skip
@pytest.mark.parametrize("few", [5000, 0])
def test_everything_of_a_request_is_found(
    ended: FalRequest, team: Team, monkeypatch: pytest.MonkeyPatch, text: str, few: int
) -> None:
    monkeypatch.setattr(scope, "FEW", few)
    assert found(text, team) == [ended.pk]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "dus", "lighthouse*s", "input.seed:4", "input.seed:7", "output.seed:42", "input.scale:7", "QUJDREVGRw",
        "input.prompt:seed", '"dusk seed 43"', "error:dusk", "status:failed", "status:active", "endpoint:other/*",
        "mode:run", "by:tim", "before:1h", "after:2100-01-01", "duration:>1h", "-dusk", "-input.seed:42",
        "-status:completed", "-status:ended", "-endpoint:acme/*", "-by:me", "-id:req-1", "id:req-2", "-after:1h",
        '"dusk 42"', "input.width:512",
    ],
)  # fmt: skip
@pytest.mark.parametrize("few", [5000, 0])
def test_what_it_does_not_have_is_not_found(
    ended: FalRequest, team: Team, monkeypatch: pytest.MonkeyPatch, text: str, few: int
) -> None:
    monkeypatch.setattr(scope, "FEW", few)
    assert found(text, team) == []


def test_an_error_is_found_by_its_own_words(team: Team, owner: User) -> None:
    row = make_queued(team=team, person=owner, input={"prompt": "validation"})
    other = make_queued("req-2", team=team, person=owner, input={"prompt": "field required"})
    hear(row, make_result(code=422, error="Field required: prompt"))
    assert found("error:required", team) == [row.pk]
    assert found('error:"field required"', team) == [row.pk]
    assert found("error:requ*", team) == [row.pk]
    assert found("required", team) == [other.pk, row.pk]


def test_a_request_is_found_from_the_moment_it_is_stored_and_not_when_it_is_not(
    team: Team, owner: User
) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        make_request(team=team, person=owner, input={"prompt": "heron"})
        assert len(found("heron", team)) == 1
        raise RuntimeError
    assert found("heron", team) == []
    row = make_request(team=team, person=owner, input={"prompt": "heron"})
    assert found("heron status:pending", team) == [row.pk]


def test_an_id_of_fals_is_found_while_the_request_runs(team: Team, owner: User) -> None:
    row = make_queued("0192aaaa-bbbb", team=team, person=owner)
    assert found("0192aaaa", team) == [row.pk]


def test_a_log_that_comes_after_the_end_is_found(team: Team, owner: User) -> None:
    row = make_queued(team=team, person=owner)
    hear(row, make_result(), source=Source.WEBHOOK)
    hear(row, make_status("COMPLETED", logs=[make_log("the late kestrel")]))
    assert found("kestrel", team) == [row.pk]


def test_only_the_last_lines_of_a_long_log_are_kept(team: Team, owner: User) -> None:
    row = make_queued(team=team, person=owner)
    lines = [make_log(f"line{number}") for number in range(400)]
    hear(row, make_status("IN_PROGRESS", logs=[*lines, make_log("kestrel")]))
    hear(row, make_result())
    assert found("kestrel", team) == [row.pk]
    assert found("line399", team) == [row.pk]
    assert found("line0", team) == []


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"a": "\ufdfa" * 5000}),
        json.dumps({"a": ["word " * 50_000]}),
        json.dumps({f"key{n}": n for n in range(60_000)}),
        '{"a":' + "[" * 5000 + "]" * 5000 + "}",
        '{"a": ' + "9" * 5000 + "}",
        '{"it\'s \\\\ a \\u0000 \\ud800 \\"key\\"": "and\'s: \\\\ \\u0000 \\udc00 |"}',
        '{"": {"": ""}, "..": ".", "%": "*"}',
    ],
)
def test_any_input_can_be_indexed(team: Team, owner: User, text: str) -> None:
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(input_text=text, output=text.encode(), error=text)
    lifecycle.observe(
        make_queued("req-2", team=team, person=owner).pk,
        make_result(output=text[:1000]), source=Source.POLL, asked_at=timezone.now(),
    )  # fmt: skip
    write_entries([row.pk])
    assert row.pk in found("acme", team)


def test_teams_never_meet(ended: FalRequest, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Team.objects.create(name="Other")
    stranger = make_person("stranger", team=other, role=Role.OWNER)
    hers = make_request(team=other, person=stranger, input={"prompt": "dusk"})
    for few in (5000, 0):
        monkeypatch.setattr(scope, "FEW", few)
        for text in ("dusk", "-nothing", "status:ended,active", "endpoint:*i*", "after:1d"):
            assert found(text, team) == [ended.pk], text
            assert found(text, other, me="stranger") == [hers.pk], text
        assert found("by:stranger", team) == []
        assert Matches(Scope(team.pk, "olga", sees=True), parse_search("dusk")).count(10) == 1


def words_left(word: str) -> int:
    """Entries that still have this word, whichever team's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM requests_app_searchentry WHERE CAST(words AS text) LIKE %s",
            [f"%{word}%"],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("word", ["dusk", "kestrel", "heron"])
def test_retention_takes_what_it_removes_out_of_the_index(
    ended: FalRequest, team: Team, word: str
) -> None:
    assert words_left(word) == 1
    assert lifecycle.remove_payload(ended.pk, days=1, now=timezone.now())
    assert words_left(word) == 0
    assert found(word, team) == []
    assert found("id:req-1 status:completed acme", team) == [ended.pk]


def test_a_removed_row_leaves_no_entry(ended: FalRequest, team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(rows_days=1)
    team.refresh_from_db()
    list(retention.prune(timezone.now() + timedelta(days=3), [team]))
    assert not FalRequest.objects.exists()
    assert not SearchEntry.objects.exists()


@pytest.mark.parametrize("few", [5000, 0])
def test_times_are_bounds(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(scope, "FEW", few)
    now = timezone.now()
    rows = [make_request(team=team, person=owner) for _ in range(4)]
    for row, days in zip(rows, (9, 6, 3, 0), strict=True):
        values: dict[str, Any] = {"created_at": now - timedelta(days=days)}
        FalRequest.objects.filter(pk=row.pk).update(**values)
    nine, six, three, today = (row.pk for row in rows)
    assert found("after:7d", team) == [today, three, six]
    assert found("after:1w before:2d", team) == [three, six]
    assert found("before:4d", team) == [six, nine]
    day = (now - timedelta(days=6)).date()
    assert found(f"after:{day} acme", team) == [today, three, six]
    assert found(f"before:{day}", team) == [nine]
    assert found(f"after:{day}T00:00Z before:2d", team) == [three, six]


@pytest.mark.parametrize("few", [5000, 0])
def test_durations_are_compared_exactly(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(scope, "FEW", few)
    took = {}
    for seconds in (5, 28, 30, 31, 7200):
        row = make_request(team=team, person=owner)
        values: dict[str, Any] = {
            "status": Status.COMPLETED, "ended_at": row.created_at + timedelta(seconds=seconds)
        }  # fmt: skip
        FalRequest.objects.filter(pk=row.pk).update(**values)
        took[row.pk] = seconds
    make_request(team=team, person=owner)
    write_entries(list(took))

    def those(text: str) -> list[int]:
        return sorted(took[pk] for pk in found(text, team))

    assert those("duration:>30s") == [31, 7200]
    assert those("duration:>=30s") == [30, 31, 7200]
    assert those("duration:30s") == [30, 31, 7200]
    assert those("duration:<30s") == [5, 28]
    assert those("duration:<=0.5m") == [5, 28, 30]
    assert those("duration:>10s duration:<1h") == [28, 30, 31]
    assert those("duration:>2h") == []


@pytest.mark.parametrize("few", [5000, 0])
def test_costs_are_compared_exactly_and_what_is_not_known_is_none(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(scope, "FEW", few)
    costs = {}
    for text in ("0", "0.000000001", "0.45", "0.5", "0.51", "900000", None):
        row = make_request(team=team, person=owner)
        cost = None if text is None else Decimal(text)
        FalRequest.objects.filter(pk=row.pk).update(cost=cost)
        costs[row.pk] = text
    write_entries(list(costs))

    def those(asked: str) -> list[str | None]:
        return [costs[pk] for pk in sorted(found(asked, team))]

    assert those("cost:>0.5") == ["0.51", "900000"]
    assert those("cost:$0.5") == those("cost:>=.5") == ["0.5", "0.51", "900000"]
    assert those("cost:<0.5") == ["0", "0.000000001", "0.45"]
    assert those("cost:<=0.5 cost:>0") == ["0.000000001", "0.45", "0.5"]
    assert those("cost:<0") == []
    assert those("cost:none") == [None]
    assert those("-cost:>=0.000000001") == ["0", None]
    assert those("-cost:none cost:<1") == ["0", "0.000000001", "0.45", "0.5", "0.51"]
    assert those("cost:none OR cost:>1000") == ["900000", None]


@pytest.mark.parametrize(
    "draft",
    [
        make_draft(), replace(make_draft(), tags=("Night", "a zoo")), make_draft(tags="project=lake"), make_draft(mode="stream"),
        make_draft(input={"prompt": "an \u00e9tude", "seed": 7, "deep": {"list": [1.5, None, True]}}),
        make_draft(input={"text": "x " * 200_000}),
    ],
)  # fmt: skip
def test_a_new_request_is_indexed_as_it_is_when_it_is_read_again(
    team: Team, owner: User, draft: Draft
) -> None:
    row = lifecycle.create(draft, team=team, person=owner, now=timezone.now())
    first = words_in(row)
    with transaction.atomic():
        write_entries([row.pk])
    assert first
    assert first == words_in(row)


def words_in(row: FalRequest) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT words FROM {SearchEntry._meta.db_table} WHERE rowid = %s", [row.pk])
        return str(cursor.fetchone()[0])
