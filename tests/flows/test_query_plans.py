"""No query of the background reads the whole history: 100,000 kept rows, the database's own plan of each query.

Each query is seen as it is sent, with its parameters: SQLite uses a partial index only when it can prove from the
text alone that the index has every row that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.error_groups import counting, linking
from requests_app.error_groups import history as error_history
from requests_app.forwarding import making
from requests_app.models import Delivery, FalRequest, Membership, Mode, Role, Status, Team
from requests_app.overview import rolling
from requests_app.overview.reading import Asked, overview_of
from requests_app.overview.spans import Range
from requests_app.relay import opening
from requests_app.search import Matches, Scope, Sorted, numbers_of, parse_search
from requests_app.search.index import write_entries
from requests_app.search.sorting import ORDERS
from requests_app.upkeep import health, metrics
from requests_app.views.listing import CHIPS
from requests_app.views.workspace import runs_of
from requests_app.webhooks import deliveries, shelf
from requests_app.worker import looks, lost_submits, sweep
from tests.builders import make_draft, make_request, make_webhook
from tests.forwarding.scene import make_destination
from tests.many_rows import copy_up_to

KEPT = 100_000  # rows
# Every row gets the words of the first.
INDEX = (
    "INSERT INTO requests_app_searchentry (rowid, words) SELECT kept.id, first.words"
    " FROM requests_app_falrequest kept, requests_app_searchentry first"
    " WHERE first.rowid = %s AND kept.id <> %s"
)

Query = tuple[str, Any]


@pytest.fixture
def history(team: Team, owner: User) -> FalRequest:
    """One open row beside `KEPT` completed ones, copied in the database itself."""
    first = make_request(team=team, person=owner)
    ended = timezone.now() - timedelta(days=3)
    FalRequest.objects.filter(pk=first.pk).update(
        status=Status.COMPLETED,
        fal_request_id="kept",
        due_at=None,
        created_at=ended,
        sent_at=ended,
        ended_at=ended,
    )
    write_entries([first.pk])
    copy_up_to(KEPT)
    with connection.cursor() as cursor:
        cursor.execute(INDEX, [first.pk, first.pk])
        cursor.execute("ANALYZE")
    return make_request(team=team, person=owner, input={"prompt": "a heron"})


@contextmanager
def queries() -> Iterator[list[Query]]:
    """What is sent to the database in this block."""
    sent: list[Query] = []

    def keep(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        sent.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(keep):
        yield sent


def plan_of(query: Query) -> list[str]:
    """The steps of the plan."""
    sql, parameters = query
    how = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} {sql}", parameters)
        return [str(row[-1]) for row in cursor.fetchall()]


# Indexes of few rows: of those that are open, or that the background has still to do.
SMALL = ("due_requests", "open_requests", "failed_without_group", "due_costs")


def reads_all(step: str) -> bool:
    """Whether this step of a plan reads every row of the requests, or of an index over all of them."""
    table = FalRequest._meta.db_table
    if connection.vendor == "sqlite":
        # U0: of a query inside of another one; a virtual table is the index of words
        scans = step.startswith((f"SCAN {table}", "SCAN U0")) and "VIRTUAL TABLE" not in step
        return scans and not step.endswith(SMALL)
    return f"Seq Scan on {table}" in step


def is_bounded(above: str) -> bool:
    """Whether the step above takes so many rows alone: PostgreSQL reads where it expects most to match."""
    return above.lstrip(" ->").startswith("Limit ")


def find_lost(row: FalRequest) -> None:
    """What a search for a submit with unknown outcome asks."""
    FalRequest.objects.filter(pk=row.pk).update(
        status=Status.UNCERTAIN, sent_at=timezone.now(), due_at=timezone.now()
    )
    search = lost_submits._take(row.pk)
    assert search
    lost_submits._give_back(search)


def hear_webhook(row: FalRequest) -> None:
    deliveries._belongs_to_another(row, make_webhook("another"))


def poll(row: FalRequest) -> None:
    FalRequest.objects.filter(pk=row.pk).update(
        status=Status.IN_QUEUE, fal_request_id="open", sent_at=timezone.now(), due_at=timezone.now()
    )
    [look] = looks._take_many([row.pk])
    assert look
    looks._give_back_many([look])


def shown(row: FalRequest, text: str) -> None:
    """What a page of the list asks for a search, its chips included."""
    listing = Scope(row.team_id, "olga", sees=True)
    search = parse_search(text)
    assert listing.is_large or not search.terms
    Matches(listing, search).newest(51)
    Matches(listing, search).newest(51, below=row.pk)
    of_chips = [Matches(listing, search.setting("status", status)) for status in CHIPS]
    numbers_of(listing, of_chips, 1001).get()


def in_order(row: FalRequest, order: str) -> None:
    """What a page of the list asks in another order than newest first."""
    found = Sorted(Matches(Scope(row.team_id, "olga", sees=True), parse_search("")), ORDERS[order])
    found.newest(51)
    found.newest(51, below=row.pk)
    found.oldest(51, above=row.pk)


def fail_and_count(row: FalRequest) -> None:
    fresh = make_request(team=row.team, person=row.person, input={"prompt": "a kite"})
    lifecycle.fail_unsendable(fresh.pk, "No", now=timezone.now())
    assert counting.fold()
    linking.uncount([fresh.pk])


def overview(row: FalRequest, **only: Any) -> None:
    """What the page of figures asks."""
    for asked in Range:
        overview_of(Asked(row.team_id, asked, timezone.now(), UTC, **only))


SEARCHES = (
    "", "heron", "sunset", "heron -sunset", "her*", "nothing", '"over mountains"', "input.prompt:heron",
    "status:active", "status:completed", "status:completed,failed", "-status:completed", "status:failed sunset",
    "group:0f3a9c21d4e5b678", "group:0f3a9c21d4e5b678 status:failed by:me sunset", "endpoint:acme/img", "endpoint:acme/*", "endpoint:other", "by:me", "by:tim", "mode:run", "mode:run by:me",
    "id:kept", "0123abcd", "after:1h", "after:2d before:1d", "duration:>1h", "error:required sunset",
    "has:media", "has:media sunset", "has:media status:completed", "has:video", "has:video -sunset",
    "cost:>0.5", "cost:none", "cost:<1 sunset",
)  # fmt: skip

HOT: dict[str, Callable[[FalRequest], Any]] = {
    "a sweep": lambda row: sweep._due(timezone.now(), is_shut=False),
    "a sweep while fal is down": lambda row: sweep._due(timezone.now(), is_shut=True),
    "a look": poll,
    "a search for a lost submit": find_lost,
    "a webhook of an unknown id": hear_webhook,
    "requests that cannot be looked at": lambda row: health.requests(),
    "the gauge of failing requests": lambda row: metrics._failing(),
    "the gauge of the sweep's lag": lambda row: metrics._lag(timezone.now()),
    "a session": lambda row: opening.claim_session(
        make_draft(mode=Mode.REALTIME), team=row.team, person=row.person
    ),
    "pages are followed": lambda row: lifecycle.poll_faster_until(
        [row.pk], until=timezone.now(), now=timezone.now()
    ),
    "a page is opened": lambda row: lifecycle.make_due(row.pk, now=timezone.now()),
    "a look for failures without a group": lambda row: error_history.group_piece(),
    "how many failures are grouped": lambda row: error_history.percent(),
    "a count of failures": fail_and_count,
    "costs that are due": lambda row: lifecycle.due_costs(timezone.now()),
    "a start": lambda row: lifecycle.resume(now=timezone.now(), alone=True),
    "the last runs of an endpoint": lambda row: runs_of(
        Membership(team=row.team, role=Role.MEMBER), row.endpoint_id
    ),
    "the overview": overview,
    "the overview of one endpoint": partial(overview, endpoint_id="acme/img"),
    "the overview of one user": lambda row: overview(row, user_key=row.person_id),
    "a count of what has changed": lambda row: rolling.count_piece(timezone.now()),
    **{f"the list in the order {name}": partial(in_order, order=name) for name in ORDERS},
    **{f"the list of {text!r}": partial(shown, text=text) for text in SEARCHES},
}


@pytest.mark.slow
@pytest.mark.django_db
def test_nothing_in_the_background_reads_the_whole_history(history: FalRequest) -> None:
    whole = {}
    for name, run in HOT.items():
        with queries() as sent:
            run(FalRequest.objects.get(pk=history.pk))
        steps_of_all = [
            f"{step}\n    {query[0][:400]}"
            for query in sent
            if query[0].startswith(("SELECT", "UPDATE", "DELETE"))
            for before, step in pairwise(["", *plan_of(query)])
            if reads_all(step) and not is_bounded(before)
        ]
        if steps_of_all:
            whole[name] = steps_of_all
    assert not whole, "\n".join(f"{name}: {step}" for name, all_ in whole.items() for step in all_)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_page_of_deliveries_reads_those_of_its_team_alone(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    other = make_request(team=Team.objects.create(name="Busy"), person=owner)
    now = timezone.now()

    def one(of: FalRequest, verdict: str) -> Delivery:
        return Delivery(
            request=of, team_id=of.team_id, received_at=now, verdict=verdict, body=b"", body_size=0,
            digest="d",
        )  # fmt: skip

    one(row, "no_keys").save()
    Delivery.objects.bulk_create((one(other, "accepted") for _ in range(20_000)), batch_size=1_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for verdict in ("", "no_keys", "duplicate"):
        for before in (None, 10**9):
            with queries() as sent:
                shelf.page(row.team_id, verdict=verdict, before=before)
            assert len(sent) == 2
            for query in sent:
                plan = "\n".join(plan_of(query))
                assert "team_deliveries" in plan or "deliveries_without_team" in plan, plan
                assert "SCAN requests_app_" not in plan and "Seq Scan on requests_app_d" not in plan


@pytest.mark.slow
@pytest.mark.django_db
def test_ends_to_be_forwarded_are_found_by_their_time(history: FalRequest) -> None:
    """Every two seconds, for each destination: by team and status alone it would read the history."""
    make_destination(history.team)
    make_destination(history.team, name="some", pattern="acme/*")
    with queries() as sent:
        assert making.look(timezone.now()) == 0
    looks_for_ends = [query for query in sent if "ended_at" in query[0] and "EXISTS" in query[0]]
    assert len(looks_for_ends) == 2
    for query in looks_for_ends:
        plan = "\n".join(plan_of(query))
        assert "ended_by_time" in plan, plan
