"""The overview's page: figures of the team alone, filters in the address, bars that lead to their requests."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.models import FalRequest, RollUp, Team, TimePreference
from requests_app.overview import rolling
from tests.overview.test_rolling import end, make_at

URL = reverse("requests:overview")


@pytest.fixture
def rows(team: Team, owner: User, teammate: User) -> list[FalRequest]:
    """One that failed, one that completed, one that waits, within the last two hours."""
    now = timezone.now()
    made = [
        make_at(now - timedelta(minutes=minutes), team, person, endpoint)
        for minutes, person, endpoint in (
            (100, owner, "acme/img"),
            (90, teammate, "acme/text"),
            (1, owner, "acme/img"),
        )
    ]
    end(made[0], made[0].created_at, error_type="runner_server_error")
    end(made[1], made[1].created_at)
    rolling.count_all(now)
    return made


def words_of(page: str) -> list[str]:
    """What each bar that has any tells."""
    return [words for words in re.findall(r'data-words="(.+?)"', page) if ": 0" not in words]


def shown(as_user: Any, url: str) -> list[str]:
    """The requests that the list shows at this address, the newest first."""
    return re.findall(r'id="request-([0-9a-f-]{36})"', as_user.get(html.unescape(url)).text)


@pytest.mark.slow
def test_each_bar_and_its_parts_lead_to_their_requests(
    rows: list[FalRequest], as_owner: Client
) -> None:
    page = as_owner.get(f"{URL}?range=day").text
    bars = re.findall(r'<svg class="overview-bar".*?</svg>', page, re.S)
    found = []
    for bar in bars:
        whole, *parts = re.findall(r'<a href="(.+?)"', bar)
        of_bar = shown(as_owner, whole)
        of_parts = [one for part in dict.fromkeys(parts) for one in shown(as_owner, part)]
        assert sorted(of_bar) == sorted(of_parts)
        found += of_bar
    assert sorted(found) == sorted(str(row.public_id) for row in rows)


def test_filters_narrow_every_figure(rows: list[FalRequest], as_owner: Client) -> None:
    page = as_owner.get(f"{URL}?range=day&endpoint=acme/text&by=tom").text
    assert [words.partition(": ")[2] for words in words_of(page)] == ["1 request (1 completed)"]
    assert "runner_server_error" not in page
    query = parse_qs(urlsplit(html.unescape(re.findall(r'<dd.*?href="(.+?)"', page)[0])).query)
    assert query["q"][0].startswith("endpoint:acme/text by:tom after:")
    assert "No request in this time" in as_owner.get(f"{URL}?by=sam").text
    assert "No request in this time" in as_owner.get(f"{URL}?by=sven").text


def test_failures_times_people_and_what_waits_are_told(
    rows: list[FalRequest], as_viewer: Client
) -> None:
    page = as_viewer.get(URL).text
    for told in (
        "runner_server_error",
        "olga",
        "tom",
        "page",
        "pending",
        "1.0 s",
        "status poll (100 %)",
    ):
        assert told in page, told


def test_another_teams_figures_are_not_shown(
    rows: list[FalRequest], as_stranger: Client, team: Team
) -> None:
    page = as_stranger.get(URL).text
    assert "Nothing has been sent yet" in page
    assert as_stranger.get(f"{URL}?team={team.pk}").status_code == 409


def test_odd_addresses_show_the_last_day(rows: list[FalRequest], as_owner: Client) -> None:
    for query in (
        "range=year",
        "range=%00",
        "zone=Nowhere/City&by=%00",
        "endpoint=%22",
        "range=hour&team=",
    ):
        assert as_owner.get(f"{URL}?{query}").status_code == 200, query


def test_days_are_those_of_the_zone_that_the_user_chose_and_of_the_browsers_else(
    rows: list[FalRequest], as_owner: Client, owner: User
) -> None:
    assert 'data-zone="UTC" data-local="1"' in as_owner.get(URL).text
    assert 'data-zone="Asia/Tokyo"' in as_owner.get(f"{URL}?zone=Asia/Tokyo").text
    TimePreference.keep(owner, zone="Europe/Berlin")
    page = as_owner.get(f"{URL}?zone=Asia/Tokyo").text
    assert 'data-zone="Europe/Berlin" data-local="0"' in page


def test_htmx_gets_the_figures_alone(rows: list[FalRequest], as_owner: Client) -> None:
    part = as_owner.get(URL, headers={"HX-Request": "true", "HX-Target": "overview-live"}).text
    assert part.lstrip().startswith('<div id="overview-live"')


def test_the_page_says_how_much_of_the_history_is_counted(
    rows: list[FalRequest], as_owner: Client
) -> None:
    assert "of the older history" not in as_owner.get(URL).text
    RollUp.objects.all().delete()
    rolling.start_again()
    assert "0&nbsp;% of the older history" in as_owner.get(URL).text
