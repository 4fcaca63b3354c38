"""What is offered while a term is typed: from the team's own rows, and no more of them than it takes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.models import Batch, FalRequest, Status, Team
from requests_app.search import MAX_LENGTH, Scope, parse_search
from requests_app.search.completion import MOST, MOST_TEXT, complete
from tests.builders import make_person, make_request


@pytest.fixture
def rows(team: Team, owner: User, teammate: User) -> list[FalRequest]:
    first = make_request(
        team=team, person=owner, endpoint_id="acme/video",
        input={"prompt": "A Fox", "seed": 7.5, "size": {"width": 512}, "odd name": 1, "long": "x" * 99,
               "flags": [True, None], "image": "data:image/png;base64,AAAA"},
    )  # fmt: skip
    FalRequest.objects.filter(pk=first.pk).update(
        output=b'{"text": "a lake", "nsfw": [false]}',
        status=Status.FAILED,
        error_type="content_policy_violation",
    )
    second = make_request(team=team, person=teammate, input={"seed": 42, "prompt": "dusk"})
    make_request(team=team, person=owner, input={"secret": "y" * MOST_TEXT})
    broken = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=broken.pk).update(input_text='{"seed": ', output=b"\xff")
    Batch.objects.create(
        team=team, person=owner, name="Zoo, in rain", endpoint_id="acme/img", text="{}",
        created_at=timezone.now(), state="running", total=0,
    )  # fmt: skip
    return [first, second]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("stat", ["status:"]),
        ("-STAT", ["-status:"]),
        ("status:f", ["status:failed"]),
        ("status:failed,act", ["status:failed,active"]),
        ("mode:st", ["mode:stream"]),
        ("by:", ["by:me", "by:olga", "by:tom"]),
        ("by:me,to", ["by:me,tom"]),
        ("endpoint:*vid", ["endpoint:acme/video"]),
        ("vide", ["endpoint:acme/video"]),
        ("batch:zoo", ['batch:"Zoo, in rain"']),
        ("error:cont", ["error:content_policy_violation"]),
        ("after:24", ["after:24h"]),
        ("duration:>1m", ["duration:>1m"]),
        ("cost:n", ["cost:none"]),
        ("source:page,b", ["source:page,batch"]),
        ("key:n", ["key:none"]),
        ("input.", ["input.seed:", "input.prompt:", "input.size.width:", "input.long:",
                    "input.flags:", "input.image:"]),
        ("input.wid", ["input.size.width:"]),
        ("input.seed:", ["input.seed:42", "input.seed:7.5"]),
        ('input.prompt:"a f', ['input.prompt:"A Fox"']),
        ("input.flags:", ["input.flags:true"]),
        ("input.long:", []),
        ("input.image:", []),
        ("output.te", ["output.text:"]),
        ("output.nsfw:", ["output.nsfw:false"]),
        ("id:", []),
        ("colour:r", []),
        ("x" * (MAX_LENGTH + 1), []),
        ('"', []),
    ],
)  # fmt: skip
def test_a_term_may_go_on(
    team: Team, rows: list[FalRequest], typed: str, expected: list[str]
) -> None:
    found = [one.text for one in complete(Scope(team.pk, "olga", sees=True), typed)]
    assert found == expected
    for text in found:
        if not text.endswith((":", ".")):
            assert not parse_search(text).problems


def test_nothing_of_another_team_is_offered(rows: list[FalRequest]) -> None:
    other = Team.objects.create(name="Other")
    make_person("stan", team=other)
    scope = Scope(other.pk, "stan", sees=True)
    for typed in (
        "vide",
        "endpoint:",
        "batch:",
        "tag:",
        "error:",
        "input.",
        "input.seed:",
        "output.",
    ):
        assert complete(scope, typed) == []
    assert [one.text for one in complete(scope, "by:")] == ["by:me", "by:stan"]


def test_no_answer_reads_or_says_more_than_a_bound(team: Team, owner: User) -> None:
    for number in range(MOST + 5):
        make_request(team=team, person=owner, endpoint_id=f"acme/m{number}", input={"n": number})
    for typed in (
        "",
        "endpoint:",
        "by:",
        "batch:",
        "tag:",
        "error:",
        "input.n:",
        "output.x:",
        "acme",
    ):
        with CaptureQueriesContext(connection) as sent:
            assert len(complete(Scope(team.pk, "olga", sees=True), typed)) <= MOST
        for query in sent.captured_queries:
            assert "LIMIT" in query["sql"] or "auth_user" in query["sql"], query["sql"]
