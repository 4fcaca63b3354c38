"""The choice of how times read: kept for the person, in every browser."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import Team, TimePreference
from tests.builders import hear, make_log, make_queued, make_status

TOKYO = {"zone": "Asia/Tokyo", "has_ages": "0", "hours": "12"}


def choose(client: Client, htmx: bool = False, **choice: str) -> Any:
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post("/settings/times/", TOKYO | choice, headers=headers)


def test_somebody_not_logged_in_is_sent_to_the_log_in(client: Client, db: None) -> None:
    for response in (client.get("/settings/times/"), choose(client)):
        assert response.status_code == 302
        assert "/accounts/login/" in response["Location"]


def test_the_page_offers_every_zone_and_the_usual_choice(as_owner: Client) -> None:
    page = as_owner.get("/settings/times/").text
    for option in ('value="local" selected', 'value="UTC"', "<option>Europe/Berlin"):
        assert option in page
    assert re.search(r'name="has_ages" value="1"\s+checked', page)
    assert re.search(r'name="hours" value="24"\s+checked', page)


def test_a_dialog_gets_the_form_alone(as_owner: Client) -> None:
    assert "<html" not in as_owner.get("/settings/times/", headers={"HX-Request": "true"}).text


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["local", "UTC", "Asia/Tokyo", "asia/TOKYO", "Etc/GMT+5", "Japan"])
def test_a_choice_is_kept_for_the_person_alone(
    as_owner: Client, as_viewer: Client, owner: User, zone: str
) -> None:
    response = choose(as_owner, zone=zone)
    assert (response.status_code, response["Location"]) == (302, "/settings/times/")
    kept = TimePreference.of(owner)
    assert (kept.zone.lower(), kept.has_ages, kept.hours) == (zone.lower(), False, 12)
    written = " ".join(as_owner.get("/requests/").text.split())
    assert f'data-time-zone="{kept.zone}" data-time-ages="0" data-time-hours="12"' in written
    assert 'data-time-zone="local" data-time-ages="1"' in as_viewer.get("/requests/").text
    again = Client()
    again.force_login(owner)
    assert f'data-time-zone="{kept.zone}"' in again.get("/requests/").text


def test_a_later_choice_replaces_it(as_owner: Client, owner: User) -> None:
    choose(as_owner)
    choose(as_owner, zone="UTC", has_ages="1", hours="24")
    assert str(TimePreference.of(owner)) == "UTC, 24 h"
    assert TimePreference.objects.count() == 1


def test_a_dialog_is_told_what_was_kept(as_owner: Client) -> None:
    response = choose(as_owner, htmx=True, zone="asia/tokyo")
    assert response.status_code == 204
    told = json.loads(response["HX-Trigger"])["times:chosen"]
    assert told == {"zone": "Asia/Tokyo", "has_ages": False, "hours": 12}


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"zone": "Mars/Olympus"}, "There is no time zone Mars/Olympus"),
        ({"zone": "../../etc/passwd"}, "There is no time zone"),
        ({"zone": ""}, "This field is required"),
        ({"zone": "x" * 65}, "at most 64 characters"),
        ({"zone": "<script>"}, "There is no time zone &lt;script&gt;"),
        ({"hours": "13"}, "Select a valid choice"),
        ({"has_ages": "maybe"}, "Select a valid choice"),
        ({"has_ages": ""}, "This field is required"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_what_cannot_be_chosen_is_refused_in_words_and_changes_nothing(
    as_owner: Client, owner: User, choice: dict[str, str], words: str, htmx: bool
) -> None:
    choose(as_owner, zone="UTC")
    response = choose(as_owner, htmx=htmx, **choice)
    assert response.status_code == 422
    assert words in response.text
    assert TimePreference.of(owner).zone == "UTC"


def test_every_time_of_a_request_reads_as_chosen_without_scripts_too(
    as_owner: Client, owner: User, team: Team
) -> None:
    row = make_queued(team=team, person=owner)
    line = make_log("hello", timestamp="2026-01-01T23:30:00.250")
    hear(row, make_status("IN_PROGRESS", logs=(line,)))
    choose(as_owner)
    page = as_owner.get(f"/requests/{row.public_id}/").text
    assert ">8:30:00.250 AM UTC+9</time>" in page
    assert 'title="2026-01-02 8:30:00.250 AM Asia/Tokyo (UTC+9)"' in page
    main = page[page.index("<main") :]
    written = re.findall(r'<time datetime="[^"]*" data-time="[^"]*" title="([^"]*)">([^<]*)<', main)
    assert len(written) > 5
    assert all("Asia/Tokyo (UTC+9)" in title for title, _ in written)
    assert all(text.endswith("M UTC+9") for _, text in written)
    for piece in ("live/", "logs/"):
        fragment = as_owner.get(f"/requests/{row.public_id}/{piece}").text
        assert "Asia/Tokyo (UTC+9)" in fragment


def test_a_person_without_a_team_has_a_choice_as_well(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("nora"))
    assert choose(client).status_code == 302


def test_single_keys_are_switched_off_and_on_for_the_person_alone(
    as_owner: Client, as_viewer: Client, owner: User
) -> None:
    choose(as_owner, zone="UTC")
    assert as_owner.post("/settings/keys/", {"off": "on"}).status_code == 204
    assert 'data-keys="off"' in as_owner.get("/requests/").text
    assert 'data-keys="on"' in as_viewer.get("/requests/").text
    assert TimePreference.of(owner).zone == "UTC"
    as_owner.post("/settings/keys/")
    assert 'data-keys="on"' in as_owner.get("/requests/").text
    assert Client().post("/settings/keys/").status_code == 302


def test_media_are_blurred_for_the_person_alone_on_every_page(
    as_owner: Client, as_viewer: Client, owner: User
) -> None:
    sent = {"on": "1", "next": "/requests/gallery/?q=by%3Ame"}
    assert as_owner.post("/settings/blur/", sent)["Location"] == sent["next"]
    for path in ("/requests/", "/requests/gallery/", "/settings/"):
        assert "data-blur\n" in as_owner.get(path).text
        assert "data-blur\n" not in as_viewer.get(path).text
    away = as_owner.post("/settings/blur/", {"on": "1", "next": "https://evil.example/"})
    assert away["Location"] == "/requests/"
    reply = as_owner.post("/settings/blur/", {"on": "0"}, headers={"HX-Request": "true"})
    assert reply.status_code == 204
    assert "data-blur\n" not in as_owner.get("/requests/").text
    assert TimePreference.of(owner).single_keys
