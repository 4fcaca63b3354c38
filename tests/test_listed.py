"""Rows that are kept as they were drawn: all that a row shows is in the key, so no reader and no moment gets another one's."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context
from django.test import Client, override_settings
from django.urls import set_script_prefix
from django.utils import timezone

from requests_app.display.columns import in_order
from requests_app.display.marks import OF_ROWS
from requests_app.display.times import TimeStyle
from requests_app.listed import ListedRow, listed
from requests_app.models import (
    Delivery,
    FalKey,
    FalRequest,
    Membership,
    Star,
    Tag,
    Tagging,
    Team,
    Thumbnail,
)
from requests_app.templatetags import rows as drawing
from requests_app.templatetags.rows import RowLook, table_rows
from requests_app.views.row_html import RowVariant, pushed_rows
from tests.builders import make_person

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=1)
EARLIER = NOW - timedelta(minutes=5)
PICTURE = "https://v3.fal.media/files/a.png"
MEMBER = RowVariant(may_submit=True, query="", sees=True)
ENDED: dict[str, Any] = {"status": "completed", "ended_at": NOW}
# Column -> what the row has beside it, and another value.
CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "endpoint_id": ({}, "acme/other"),
    "mode": ({}, "run"),
    "origin": ({}, "api"),
    "summary": ({}, "other words"),
    "seed": ({}, "7"),
    "status": ({}, "uncertain"),
    "seq": ({}, 10**6),
    "queue_position": ({"status": "in_queue"}, 4),
    "tries": ({"status": "pending"}, 2),
    "cancel_asked_at": ({"status": "in_queue"}, NOW),
    "fal_request_id": ({}, "abc"),
    "error": ({"status": "failed"}, "No"),
    "error_type": ({"status": "failed"}, "given_up"),
    "error_code": ({"status": "failed", "error": "No"}, 422),
    "output_size": ({}, 5000),
    "billable_units": ({}, "2"),
    "cost": (ENDED | {"cost_currency": "USD"}, 1.5),
    "cost_currency": (ENDED | {"cost": 1.5, "cost_currency": "USD"}, "EUR"),
    "cost_due_at": (ENDED, NOW),
    "cost_problem": (ENDED, "unit"),
    "thumbnail_url": ({}, PICTURE),
    "created_at": ({}, EARLIER),
    "accepted_at": ({"started_at": NOW}, EARLIER),
    "started_at": ({"accepted_at": EARLIER}, NOW),
    "started_at_is_derived": ({"accepted_at": EARLIER, "started_at": NOW}, True),
    "ended_at": (ENDED | {"created_at": EARLIER}, NOW + timedelta(seconds=9)),
    "payload_removed_at": ({}, NOW),
}


CONTEXT = {"frame": {"membership": MEMBER, "query": ""}, "columns": in_order()}


def html(row: FalRequest, *, reader: User, sees: bool = True) -> str:
    """The row in the reader's list, with marks in the place of what the clock decides."""
    [found] = listed([row.pk], team=row.team_id, sees=sees, stars_of=reader.pk)
    return drawing._drawn(drawing._writer(RowLook.of(CONTEXT)), found).text


def anew(row: FalRequest, *, reader: User) -> str:
    drawing._kept.cache_clear()
    return html(row, reader=reader)


def at_the_clock(row: FalRequest, reader: User) -> str:
    rows = listed([row.pk], team=row.team_id, sees=True, stars_of=reader.pk)
    return table_rows(Context(CONTEXT | {"rows": rows}))


def test_the_table_of_changes_has_every_column_that_is_loaded() -> None:
    assert {*CHANGES, "public_id", "team", "person__username", "fal_key__name"} == set(OF_ROWS)


@pytest.mark.parametrize("column", CHANGES)
def test_a_change_of_a_column_is_drawn(row: FalRequest, owner: User, column: str) -> None:
    beside, value = CHANGES[column]
    stored = FalRequest.objects.filter(pk=row.pk)
    stored.update(**beside)
    before = html(row, reader=owner)
    earlier = stored.values_list(column, flat=True).get()
    stored.update(**{column: value})
    after = html(row, reader=owner)
    assert after != before
    assert after == anew(row, reader=owner)
    stored.update(**{column: earlier})
    assert html(row, reader=owner) == before


def rename_person(row: FalRequest) -> None:
    User.objects.filter(pk=row.person_id).update(username="renamed")


def name_key(row: FalRequest) -> None:
    row.fal_key = FalKey.objects.create(
        team=row.team, name="spending", created_at=NOW, changed_at=NOW
    )
    row.save(update_fields=["fal_key"])


def rename_key(row: FalRequest) -> None:
    FalKey.objects.update(name="renamed")


def add_tag(row: FalRequest) -> None:
    tag = Tag.objects.create(team=row.team, name="night", key="night")
    Tagging.objects.create(team=row.team, tag=tag, request=row)


def rename_tag(row: FalRequest) -> None:
    Tag.objects.update(name="day")


def tell_fal_of_tag(row: FalRequest) -> None:
    Tag.objects.update(is_fals=True)


def add_star(row: FalRequest) -> None:
    Star.objects.create(user_id=row.person_id, request=row)


def deliver(row: FalRequest) -> None:
    Delivery.objects.create(request=row, verdict="accepted", received_at=NOW, body=b"", body_size=0)


def show_picture(row: FalRequest) -> None:
    FalRequest.objects.filter(pk=row.pk).update(thumbnail_url=PICTURE)


def make_picture(row: FalRequest) -> None:
    Thumbnail.objects.create(request=row, made_at=NOW, version="v1")


def make_it_again(row: FalRequest) -> None:
    Thumbnail.objects.update(version="v2")


def lose_picture(row: FalRequest) -> None:
    Thumbnail.objects.update(made_at=None, problem="It is gone.")


@pytest.mark.parametrize(
    "acts",
    [
        (rename_person,),
        (name_key, rename_key),
        (add_tag, rename_tag, tell_fal_of_tag),
        (add_star,),
        (deliver,),
        (show_picture, make_picture, make_it_again, lose_picture),
    ],
    ids=lambda acts: acts[0].__name__,
)
def test_a_change_beside_the_row_is_drawn(
    row: FalRequest, owner: User, acts: tuple[Callable[[FalRequest], None], ...]
) -> None:
    before = html(row, reader=owner)
    for act in acts:
        act(row)
        after = html(row, reader=owner)
        assert after != before, act.__name__
        assert after == anew(row, reader=owner)
        before = after


LOOKS: dict[str, Any] = {
    "may_submit": False,
    "query": "?team=5",
    "row_query": "?q=sunset",
    "columns": ("cost",),
    "times": TimeStyle("UTC", has_ages=False, hours=12),
    "has_token": True,
}


@pytest.mark.parametrize("field", LOOKS)
def test_how_a_page_shows_rows_is_in_the_key(row: FalRequest, owner: User, field: str) -> None:
    [found] = listed([row.pk], team=row.team_id, sees=True, stars_of=owner.pk)
    look = RowLook.of(CONTEXT)
    other = look._replace(**{field: LOOKS[field]})
    first, second = (drawing._drawn(drawing._writer(one), found) for one in (look, other))
    assert first.text != second.text
    assert drawing._drawn(drawing._writer(look), found) is first


def test_where_the_installation_has_its_pages_and_pictures_is_in_the_key() -> None:
    context = {"frame": {"membership": None, "query": ""}, "columns": []}
    looks = [RowLook.of(context)]
    for changed in (
        {"THUMBNAIL_LIMIT_BYTES": 0}, {"FAL_MEDIA_HOSTS": ["here.example"]}, {"STATIC_URL": "/s/"},
    ):  # fmt: skip
        with override_settings(**changed):
            looks.append(RowLook.of(context))
    try:
        set_script_prefix("/below/")
        looks.append(RowLook.of(context))
    finally:
        set_script_prefix("/")
    assert len(set(looks)) == 5
    tested = {*LOOKS, "prefix", "icons", "makes_thumbnails", "media_hosts"}
    assert tested == set(RowLook._fields)


def test_what_has_not_changed_is_not_drawn_again(row: FalRequest, owner: User) -> None:
    drawing._kept.cache_clear()
    for _ in range(3):
        html(row, reader=owner)
    kept = drawing._kept.cache_info()
    assert (kept.misses, kept.hits) == (1, 2)


def test_a_row_that_is_pushed_to_many_is_drawn_once(row: FalRequest) -> None:
    drawing._kept.cache_clear()
    for _ in range(2):
        assert str(row.public_id) in pushed_rows(row.team_id, [row.public_id], [MEMBER])[MEMBER]
    assert drawing._kept.cache_info().misses == 1


@pytest.mark.parametrize("first_sees", [True, False])
def test_a_reader_without_sight_never_gets_a_row_that_was_drawn_with_it(
    row: FalRequest, owner: User, first_sees: bool
) -> None:
    """Also where the values are the same ones: of a star, of what is pushed to several, of what a page shows."""
    Star.objects.create(user=owner, request=row)
    for sees in (first_sees, not first_sees):
        assert ("sunset" in html(row, reader=owner, sees=sees)) is sees
        variant = MEMBER._replace(sees=sees)
        assert ("sunset" in pushed_rows(row.team_id, [row.public_id], [variant])[variant]) is sees


def test_the_same_values_of_another_query_are_another_row(row: FalRequest) -> None:
    [seen] = listed([row.pk], team=row.team_id, sees=True)
    [hidden] = listed([row.pk], team=row.team_id, sees=False)
    other = ListedRow(hidden._query, seen._raw, ())
    assert seen == ListedRow(seen._query, seen._raw, ())
    assert seen != other


def test_a_star_is_of_its_user_alone(row: FalRequest, owner: User, team: Team) -> None:
    other = make_person("nina", team=team)
    Star.objects.create(user=owner, request=row)
    pressed = [re.findall('aria-pressed="(.*?)"', html(row, reader=one)) for one in (owner, other)]
    assert pressed == [["true"], ["false"]]
    assert "data-unknown" in pushed_rows(team.pk, [row.public_id], [MEMBER])[MEMBER]


def test_a_key_of_another_team_loads_nothing(row: FalRequest) -> None:
    other = Team.objects.create(name="Other")
    assert listed([row.pk], team=other.pk, sees=True) == []


def test_each_page_has_its_own_token_and_its_reader_their_rights(
    row: FalRequest, as_owner: Client, team: Team
) -> None:
    viewer = Client()
    viewer.force_login(make_person("nina", team=team, role="viewer"))
    blind = make_person("ben", team=team)
    Membership.objects.filter(user=blind).update(sees_payloads=False)
    reader = Client()
    reader.force_login(blind)
    for client, acts, sees in ((as_owner, 1, 1), (viewer, 0, 1), (reader, 1, 0), (as_owner, 1, 1)):
        page = client.get("/requests/").text
        rows = page[page.index("<tbody") : page.index("</tbody>")]
        assert (f"{row.public_id}/cancel/" in rows) is bool(acts)
        assert ("sunset" in rows) is bool(sees)
        [token] = re.findall('X-CSRFToken&quot;: &quot;(.*?)&quot;|X-CSRFToken": "(.*?)"', page)
        assert set(re.findall('csrfmiddlewaretoken" value="(.*?)"', rows)) == {"".join(token)}
        for mark in (drawing.TOKEN, drawing.AGE, drawing.SO_FAR):
            assert mark not in page


def test_ages_go_on(row: FalRequest, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    FalRequest.objects.filter(pk=row.pk).update(created_at=NOW)
    seen = []
    for hours in (1, 2):
        monkeypatch.setattr(timezone, "now", lambda hours=hours: NOW + timedelta(hours=hours))
        seen.append(re.findall("<time [^>]*>(.*?)</time>", at_the_clock(row, owner)))
    assert seen == [["1 h ago", "1 h 0 m"], ["2 h ago", "2 h 0 m"]]


def test_a_picture_is_asked_for_again_when_its_time_has_come(
    row: FalRequest, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    FalRequest.objects.filter(pk=row.pk).update(thumbnail_url=PICTURE)
    due_at = NOW + timedelta(minutes=1)
    Thumbnail.objects.create(request=row, problem="It was too slow.", due_at=due_at)
    seen = []
    for minutes in (0, 2):
        monkeypatch.setattr(
            timezone, "now", lambda minutes=minutes: NOW + timedelta(minutes=minutes)
        )
        seen.append("data-thumbnail" in html(row, reader=owner))
    assert seen == [False, True]
