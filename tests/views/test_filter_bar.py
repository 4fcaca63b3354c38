"""The filters above the list: each a link, each in the address."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.models import FalRequest, Membership, Role, Status, Team
from requests_app.paging import PAGE_SIZE
from requests_app.search import parse_search
from requests_app.views.filter_bar import with_days
from tests.builders import make_request
from tests.views.test_pages import ids


def tokens(page: str) -> dict[str, str]:
    """The filters that are set, and where each link leads."""
    found = re.search(r'<ul class="tokens.*?</ul>', page, re.S)
    links = (
        re.findall(r'<a class="token[^>]*href="([^"]*)"[^>]*>(.*?)</a>', found[0], re.S)
        if found
        else []
    )
    return {
        unescape(re.sub(r"<[^>]*>|\s*remove$", " ", text)).strip(): unescape(url)
        for url, text in links
    }


def test_each_token_is_a_link_that_takes_it_off(as_owner: Client, team: Team, owner: User) -> None:
    make_request(team=team, person=owner, input={"prompt": "fox"})
    page = as_owner.get('/requests/?q=-status:failed fox OR "red car"&sort=longest').text
    assert {text.split("  ")[0]: url for text, url in tokens(page).items()} == {
        "-status:failed": "/requests/?q=fox+OR+%22red+car%22&sort=longest",
        'fox OR "red car"': "/requests/?q=-status%3Afailed&sort=longest",
        "Clear": "/requests/?sort=longest",
    }
    assert tokens(as_owner.get("/requests/").text) == {}


def test_they_name_the_team_of_a_user_of_several(as_owner: Client, team: Team, owner: User) -> None:
    Membership.objects.create(team=Team.objects.create(name="Other"), user=owner, role=Role.OWNER)
    make_request(team=team, person=owner)
    page = as_owner.get(f"/requests/?team={team.pk}&q=fox").text
    assert set(tokens(page).values()) == {f"/requests/?team={team.pk}"}


@pytest.mark.parametrize(
    ("text", "first", "last", "expected"),
    [
        ("fox", "2026-11-01", "2026-11-05", "after:2026-11-01 before:2026-11-06 fox"),
        ("after:2d", "", "2026-12-31", "before:2027-01-01"),
        ("after:2d before:1d fox", "", "", "fox"),
        ("", "2026-11-01", "", "after:2026-11-01"),
        ("", "soon", "9999-12-31", "after:soon before:9999-12-31"),
    ],
)
def test_days_become_part_of_the_search(text: str, first: str, last: str, expected: str) -> None:
    assert str(with_days(parse_search(text), first, last)) == expected


def test_the_form_of_days_leads_to_an_address_with_the_search(
    as_owner: Client, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    today = timezone.now().date()
    sent = {
        "q": "mode:queue",
        "from": today.isoformat(),
        "until": today.isoformat(),
        "sort": "oldest",
    }
    page = as_owner.get("/requests/", sent, follow=True)
    [(address, status)] = page.redirect_chain
    assert status == 302
    assert "from=" not in address
    assert "sort=oldest" in address
    assert ids(page.text) == [str(row.public_id)]
    assert page.text.count(f'value="{today.isoformat()}"') == 2  # both fields show their day again
    wrong = as_owner.get("/requests/", {"from": '1.11. "', "until": "2026-11-05"}, follow=True).text
    assert 'id="search-problems"' in wrong
    assert ids(wrong) == []


def test_the_usual_ranges_and_orders_are_links(as_owner: Client, team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    page = as_owner.get("/requests/?q=fox+before:2026-11-01").text
    for wanted in ("q=after%3A24h+fox", "q=fox+before%3A2026-11-01&amp;sort=endpoint"):
        assert wanted in page
    assert ">Last 7 days" in as_owner.get("/requests/?q=after:7d").text


def test_another_order_is_walked_page_by_page(as_owner: Client, team: Team, owner: User) -> None:
    rows = [make_request(team=team, person=owner) for _ in range(PAGE_SIZE + 2)]
    for number, row in enumerate(rows[1:]):
        took = timedelta(seconds=number * 7 % 53)
        FalRequest.objects.filter(pk=row.pk).update(
            status=Status.COMPLETED, ended_at=row.created_at + took
        )
    first = as_owner.get("/requests/?sort=longest").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = as_owner.get(unescape(older[1])).text
    shown = ids(first) + ids(second)
    assert sorted(shown) == sorted(str(row.public_id) for row in rows)
    assert shown[-1] == str(rows[0].public_id)  # it has not ended
    took = {str(row.public_id): row.duration for row in FalRequest.objects.all()}
    ended = [took[one] or timedelta() for one in shown[:-1]]
    assert ended == sorted(ended, reverse=True)
    assert "data-first-page" not in first  # a new row has no place on it before it has ended
    newer = re.search(r'rel="prev" href="([^"]+)"', second)
    assert newer
    assert ids(as_owner.get(unescape(newer[1])).text) == ids(first)


def test_an_order_that_is_none_is_the_usual_one(as_owner: Client, team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    page = as_owner.get("/requests/?sort=odd").text
    assert "data-first-page" in page
    assert 'name="sort" value="odd' not in page


def added(client: Client, term: str, q: str = "") -> str:
    [(address, _)] = client.get("/requests/", {"q": q, "add": term}, follow=True).redirect_chain
    return parse_qs(urlsplit(address).query).get("q", [""])[0]


def test_a_cells_term_joins_the_search(as_owner: Client, team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    assert added(as_owner, "by:olga", "fox") == "fox by:olga"
    assert added(as_owner, "by:olga", "by:tom fox") == "fox by:olga"
    assert added(as_owner, "by:olga", "-by:olga") == "by:olga"
    assert added(as_owner, "-by:olga", "by:olga -by:tom") == "-by:tom -by:olga"
    assert added(as_owner, 'key:"our own"') == 'key:"our own"'
    assert as_owner.get("/requests/", {"add": "colour:red"}).status_code == 200


def test_a_page_is_opened_with_its_first_or_last_request_beside_it(
    as_owner: Client, team: Team, owner: User
) -> None:
    rows = [make_request(team=team, person=owner) for _ in range(3)]
    for edge, row in (("first", rows[2]), ("last", rows[0])):
        reply = as_owner.get("/requests/", {"q": "by:me", "peek": edge})
        assert reply["Location"] == f"/requests/?q=by%3Ame&peek={row.public_id}"
    assert as_owner.get("/requests/", {"q": "zzz", "peek": "first"}).status_code == 200
