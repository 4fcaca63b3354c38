"""The search box: which rows match."""

# ruff: noqa: RUF001 - letters that look alike are the subject

from __future__ import annotations

from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from requests_app import lifecycle
from requests_app.batches import control
from requests_app.keys import keeping
from requests_app.models import Batch, FalRequest, RequestOrigin, Status, Team
from requests_app.models.account import claim_missing
from requests_app.search import Matches, Scope, Search, numbers_of, parse_search, scope
from requests_app.search.index import write_entries
from tests.batches.conftest import make_batch
from tests.batches.test_feeding import end_open, turn
from tests.builders import make_draft, make_person, make_request


@pytest.fixture(params=[5000, 0], ids=["few rows", "many rows"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Filters are asked of the rows, and of the index as where a team has many."""
    monkeypatch.setattr(scope, "FEW", request.param)
    return int(request.param)


def found(text: str, team: Team, me: str = "olga") -> set[int]:
    """The keys of the team's rows that match, however they are asked for."""
    matches = Matches(Scope(team.pk, me, sees=True), parse_search(text))
    keys = matches.newest(100)
    assert keys == sorted(keys, reverse=True)
    assert matches.oldest(100, above=0) == keys[::-1]
    assert matches.newest(1, below=keys[0]) == keys[1:2] if keys else True
    assert matches.count(100) == len(keys)
    nothing = Matches(matches.scope, Search(), Q(pk__in=[]))
    at_most = min(len(keys), 2)
    numbers = numbers_of(matches.scope, [matches, nothing, matches], 2)
    assert numbers.get() == (at_most, 0, at_most)
    assert set(matches.rows.values_list("pk", flat=True)) == set(keys)
    assert matches.among(FalRequest.objects.all()) == set(keys)
    return set(keys)


def indexed() -> None:
    """Index all rows as they are: a test changed some past the lifecycle."""
    write_entries(list(FalRequest.objects.values_list("pk", flat=True)))


@pytest.fixture
def rows(team: Team, owner: User, teammate: User) -> dict[str, FalRequest]:
    """Four rows that differ in everything a search can name."""
    claim_missing()
    made = {
        "sunset": make_request(team=team, person=owner, input={"prompt": "A Sunset, 100% red"}),
        "fox": make_request(
            team=team, person=teammate, endpoint_id="acme/video/fast", mode="stream",
            input={"prompt": "quick brown fox"},
        ),
        "flux": make_request(team=team, person=owner, endpoint_id="fal-ai/flux", input={"n": 1}),
        "run": make_request(
            team=team, person=teammate, endpoint_id="acme/img", mode="run",
            input={"prompt": "red car"},
        ),
    }  # fmt: skip
    FalRequest.objects.filter(pk=made["fox"].pk).update(
        status=Status.FAILED, error="Not this.", error_type="content_policy_violation"
    )
    FalRequest.objects.filter(pk=made["flux"].pk).update(
        status=Status.COMPLETED, fal_request_id="req-flux"
    )
    indexed()
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sunset fox flux run"),
        ("status:failed", "fox"),
        ("status:failed,completed", "fox flux"),
        ("status:failed status:completed", "fox flux"),
        ("status:active", "sunset run"),
        ("status:in-queue", ""),
        ("-status:active", "fox flux"),
        ("endpoint:acme/*", "sunset fox run"),
        ("endpoint:acme/img", "sunset run"),
        ("endpoint:*/fast", "fox"),
        ("endpoint:*video*", "fox"),
        ("endpoint:FLUX", "flux"),
        ("endpoint:Acme/*", "sunset fox run"),
        ("endpoint:ACME/IMG", "sunset run"),
        ("endpoint:*/FAST", "fox"),
        ("endpoint:acme/img,fal-ai/flux", "sunset flux run"),
        ("-endpoint:acme/*", "flux"),
        ("by:me", "sunset flux"),
        ("by:TOM", "fox run"),
        ("by:nobody", ""),
        ("mode:stream,run", "fox run"),
        ("id:req-flux", "flux"),
        ("sunset", "sunset"),
        ("red", "sunset run"),
        ('"red car"', "run"),
        ("red car", "run"),
        ("red -car", "sunset"),
        ("100%", "sunset"),
        ("suns", ""),
        ("suns*", "sunset"),
        ('"red ca*"', "run"),
        ("input.prompt:red", "sunset run"),
        ('input.prompt:"red car"', "run"),
        ("input.n:1", "flux"),
        ("n", "flux"),
        ("status:failed by:me", ""),
        ("error:content_policy", "fox"),
        ("error:this", "fox"),
        ("sunset OR fox", "sunset fox"),
        ("sunset OR fox OR input.n:1", "sunset fox flux"),
        ('"red car" OR 100% -a', "run"),
        ("red OR -fox", "sunset flux run"),
        ("status:failed OR endpoint:flux", "fox flux"),
        ("status:failed OR -by:me OR batch:zoo", "fox run"),
        ("status:pending OR after:2d mode:run OR id:req", "flux run"),
        ('"or" OR "OR"', ""),
    ],
)
def test_it_finds_the_rows(
    rows: dict[str, FalRequest], team: Team, few: int, text: str, expected: str
) -> None:
    keys = found(text, team)
    assert {name for name, row in rows.items() if row.pk in keys} == set(expected.split())


@pytest.mark.slow
@pytest.mark.parametrize("text", ["{id}", "id:{id}", "ID:{id}", "id:{ID}", "id:{hex}", 'id:"{id}"'])
@pytest.mark.parametrize("length", [36, 35, 20, 14, 9, 8])
def test_an_id_of_ours_is_found_by_its_beginning(
    rows: dict[str, FalRequest], team: Team, few: int, text: str, length: int
) -> None:
    row = rows["fox"]
    beginning = str(row.public_id)[:length]
    asked = text.format(id=beginning, ID=beginning.upper(), hex=beginning.replace("-", ""))
    assert found(asked, team) == {row.pk}


FAL_IDS = {
    "one": "019234ab-cdef-7abc-8def-0123456789ab",
    "two": "019234ab-cdef-7abc-8def-fedcba987654",
    "odd": "Req_100%.é",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id:019234ab-cdef-7abc-8def-0123456789ab", "one"),
        ("id:019234ab-cdef-7abc-8def-0", "one"),
        ("id:019234AB-CDEF", "one two"),
        ("019234ab", "one two"),
        ("id:019234ab*", "one two"),
        ("id:req_1", "odd"),
        ("id:Req_100%", "odd"),
        ("id:req%", ""),
        ("id:req.", ""),
        ("id:234ab", ""),
        ("id:gate-7", "odd"),
        ("id:gate-7,019234ab-cdef-7abc-8def-f", "odd two"),
        ("-id:019234ab", "odd"),
        ("id:019234ab -id:019234ab-cdef-7abc-8def-0", "two"),
    ],
)
def test_an_id_of_fals_is_found_by_its_beginning(
    team: Team, owner: User, few: int, text: str, expected: str
) -> None:
    for fal_id in FAL_IDS.values():
        row = make_request(team=team, person=owner)
        gateway = "gate-77" if fal_id == FAL_IDS["odd"] else fal_id
        FalRequest.objects.filter(pk=row.pk).update(
            fal_request_id=fal_id, gateway_request_id=gateway,
            public_id=UUID(int=0xF << 124 | row.pk),
        )  # fmt: skip
    indexed()
    rows = FalRequest.objects.filter(pk__in=found(text, team))
    assert set(rows.values_list("fal_request_id", flat=True)) == {
        FAL_IDS[name] for name in expected.split()
    }


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        ("École de musique", "école"),
        ("École de musique", "ECOLE"),
        ("\u00c9cole", "e\u0301cole"),
        ("E\u0301cole", "\u00e9cole"),
        ("ecole", "ÉCOLE"),
        ("STRASSE", "straße"),
        ("straße", "Strasse"),
        ("Iﬆanbul", "istan*"),
        ("İstanbul", "istanbul"),
        ("ПРИВЕТ мир", "привет"),
        ("Ωμέγα", "ωμεγα"),
        ("ＦＵＬＬ", "full"),
        ("한글", "\u1112\u1161\u11ab"),
        ("東京の夜", "京の"),
        ("fox 🦊 in snow", "🦊"),
        ("हिन्दी में", "हिन्दी"),
        ("a-b_c", "b"),
        ("size 1.50", "1.5"),
        ("red\u00a0\n car", '"red car"'),
        ("ima\u00adgine", "imagine"),
        ("don't \\ 100%_x", "100%_X"),
    ],
)
def test_a_text_is_found_as_a_reader_would_find_it(
    team: Team, owner: User, prompt: str, asked: str
) -> None:
    row = make_request(team=team, person=owner, input={"prompt": prompt})
    make_request(team=team, person=owner, input={"prompt": "something else, 100 percent"})
    assert found(asked, team) == {row.pk}
    rest = FalRequest.objects.exclude(pk=row.pk)
    assert found(f"-{asked}", team) == set(rest.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [("мой", "мои"), ("がく", "かく"), ("ıssız", "issiz"), ("smørbrød", "smorbrod")],
)
def test_other_letters_are_other_letters_on_every_database(
    team: Team, owner: User, prompt: str, asked: str
) -> None:
    make_request(team=team, person=owner, input={"prompt": prompt})
    assert not found(asked, team)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Émile", "by:émile"),
        ("Émile", "by:E\u0301MILE"),
        ("ОЛЬГА", "by:ольга"),
        ("straße", "by:STRASSE"),
        ("İpek", "by:ipek"),
        ("Σίσυφος", "by:ΣΊΣΥΦΟΣ"),
        ("anna", "by:ΑΝΝΑ"),
        ("Ana.Maria", "by:ＡＮＡ.maria"),
        ("tim", "by:olga,TIM"),
        ("Émile", "by:me"),
    ],
)
def test_a_user_is_found_by_any_spelling_that_logs_in(
    team: Team, few: int, name: str, asked: str
) -> None:
    row = make_request(team=team, person=make_person(name, team=team))
    other = make_request(team=team, person=make_person("someone", team=team))
    claim_missing()
    assert found(asked, team, me=name) == {row.pk}
    assert found(f"-{asked}", team, me=name) == {other.pk}


def test_a_user_whose_name_clashes_is_found_by_its_exact_spelling(team: Team, few: int) -> None:
    make_person("anna", team=team)
    row = make_request(team=team, person=User.objects.create(username="аnna"))
    claim_missing()
    assert found("by:аnna -by:tim", team, me="anna") == {row.pk}


@pytest.fixture
def batches(team: Team, owner: User) -> dict[str, Batch]:
    """Two batches, each with two requests and a row that waits."""
    named = {"zoo": "Zoo, in the rain", "plain": ""}
    made = {
        key: make_batch(team, owner, rows=3, concurrency=2, name=name)
        for key, name in named.items()
    }
    for number, batch in enumerate(made.values(), 1):
        turn(batch)
        Batch.objects.filter(pk=batch.pk).update(public_id=UUID(int=number << 120))
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('batch:"Zoo, in the rain"', "zoo"),
        ('batch:"zoo, in the RAIN"', "zoo"),
        ("batch:zoo", ""),
        ("batch:01000000-0000-0000-0000-000000000000", "zoo"),
        ("batch:02000000", "plain"),
        ("batch:01000000,02000000", "zoo plain"),
        ("batch:01000000 batch:02000000", "zoo plain"),
        ("batch:01", ""),
        ("-batch:01000000", "plain alone"),
        ("batch:01000000 endpoint:other", ""),
        ("batch:01000000 status:pending", "zoo"),
    ],
)
def test_the_requests_of_a_batch_are_found_by_its_name_or_id(
    batches: dict[str, Batch], team: Team, owner: User, few: int, text: str, expected: str
) -> None:
    alone = make_request(team=team, person=owner)
    rows = FalRequest.objects.filter(pk__in=found(text, team))
    shown = {row.batch_item.batch_id if hasattr(row, "batch_item") else "alone" for row in rows}
    keys = {key: batch.pk for key, batch in batches.items()} | {"alone": "alone"}
    assert shown == {keys[key] for key in expected.split()}
    assert rows.count() == 2 * len(shown - {"alone"}) + (alone in rows)


def test_of_a_row_that_was_retried_the_newest_request_is_found(team: Team, owner: User) -> None:
    batch = make_batch(team, owner, rows=1, name="zoo")
    turn(batch)
    end_open(batch, error="boom")
    turn(batch)
    control.retry_failed(batch, person=owner, now=timezone.now())
    turn(batch)
    newest = FalRequest.objects.latest("id")
    assert newest.again_of is not None
    assert found("batch:zoo", team) == {newest.pk}


def test_an_empty_search_finds_everything(team: Team, owner: User, few: int) -> None:
    row = make_request(team=team, person=owner)
    assert found("", team) == {row.pk}
    assert Search() == parse_search("")


def test_requests_are_found_by_their_source_and_key(team: Team, owner: User, few: int) -> None:
    key = keeping.add(team, name="Spending", pattern="", secret="a:b", by=owner, now=timezone.now())
    rows = {
        origin: lifecycle.create(
            make_draft(), team=team, person=owner, now=timezone.now(), origin=origin
        )
        for origin in (RequestOrigin.PAGE, RequestOrigin.API)
    }
    rows[RequestOrigin.AGAIN] = make_request(
        team=team, person=owner, again_of=rows[RequestOrigin.API]
    )
    rows["old"] = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=rows["old"].pk).update(origin=None)
    FalRequest.objects.filter(pk=rows[RequestOrigin.API].pk).update(fal_key=key)
    indexed()

    def names(text: str) -> set[str]:
        keys = found(text, team)
        return {str(name) for name, row in rows.items() if row.pk in keys}

    assert names("source:api") == {"api"}
    assert names("source:api,again") == {"api", "again"}
    assert names("-source:page") == {"api", "again", "old"}
    assert names("key:spending") == names("-key:none") == {"api"}
    assert names("key:none") == names("-key:Spending") == {"page", "again", "old"}
    assert names("key:none source:page") == {"page"}
    assert names("key:other") == set()
