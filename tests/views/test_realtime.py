"""The realtime page and the messages kept for it: who sees them, who changes them, what is refused."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from requests_app.models import FalRequest, Mode, Preset, Status, Team, Use
from requests_app.presets import saving
from requests_app.rules.json_bounds import MAX_NODES
from tests.builders import make_request
from tests.views.request_page import HOSTILE

PAGE = reverse("requests:realtime")
MESSAGES = reverse("requests:messages")
SESSIONS = reverse("requests:sessions")


def kept(team: Team, name: str = "hello", **values: Any) -> Preset:
    usual = {"endpoint_id": "acme/echo", "text": '{"message": "hi"}', "use": Use.MESSAGE}
    return Preset.objects.create(team=team, name=name, **usual | values)


def keep(client: Client, **values: str) -> Any:
    usual = {"endpoint_id": "acme/echo", "name": "hello", "text": '{"message": "hi"}'}
    return client.post(MESSAGES, usual | values)


def text(reply: Any) -> str:
    words: str = reply.content.decode()
    return words


@pytest.fixture
def session(team, owner) -> FalRequest:
    row = make_request(team=team, person=owner, mode="realtime", endpoint_id="acme/echo",
                       path="/live", max_buffering=7, auth="key")  # fmt: skip
    assert row.mode == Mode.REALTIME
    return row


# --- the page -----------------------------------------------------------------------------------


def test_the_page_offers_the_endpoints_of_the_team(as_owner, session):
    page = text(as_owner.get(PAGE))
    assert '<option value="acme/echo">' in page
    assert 'id="workbench"' in page


def test_a_viewer_reads_the_sessions_and_opens_none(as_viewer, session):
    page = text(as_viewer.get(PAGE))
    assert 'id="workbench"' not in page
    assert "not open one" in page
    assert str(session.public_id) in page


def test_it_starts_like_an_earlier_session(as_owner, session, settings):
    settings.FAL_KEY = "id:secret"
    page = text(as_owner.get(PAGE, {"again": str(session.public_id)}))
    assert 'name="endpoint_id" class="mono" list="endpoints" value="acme/echo"' in page
    assert 'name="path" class="mono" value="/live"' in page
    assert re.search(r'name="max_buffering"[^>]*value="7"', page)
    assert '<option value="key" selected>' in page


def test_with_a_key_the_first_session_logs_in_with_a_token(as_owner, settings):
    settings.FAL_KEY = "id:secret"
    assert '<option value="token" selected>' in text(as_owner.get(PAGE))


def test_without_a_key_no_token_is_proposed(as_owner, team, owner, settings):
    settings.FAL_KEY = ""
    assert '<option value="key" selected>' in text(as_owner.get(PAGE))
    earlier = make_request(team=team, person=owner, mode="realtime", auth="token")
    page = text(as_owner.get(PAGE, {"again": str(earlier.public_id)}))
    assert '<option value="key" selected>' in page
    assert '<option value="token">' in page  # still to be chosen: a proxy may hold the key


@pytest.mark.parametrize("again", ["nonsense", "00000000-0000-4000-8000-000000000000", HOSTILE])
def test_what_is_no_session_of_ours_starts_an_empty_one(as_owner, again):
    reply = as_owner.get(PAGE, {"again": again})
    assert reply.status_code == 200
    assert HOSTILE not in text(reply)


def test_somebody_elses_session_is_no_start(as_stranger, session):
    assert "acme/echo" not in text(as_stranger.get(PAGE, {"again": str(session.public_id)}))


def test_in_the_sandbox_a_first_message_stands_ready(as_owner, settings):
    settings.SANDBOX = True
    page = text(as_owner.get(PAGE))
    assert 'value="sandbox/echo"' in page
    assert "&quot;number&quot;: 21" in page


def test_an_endpoint_can_be_given_and_stays_text(as_owner):
    page = text(as_owner.get(PAGE, {"endpoint": HOSTILE}))
    assert HOSTILE not in page
    assert "alert(1)" in page


def test_somebody_logged_out_is_asked_to_log_in(client, db):
    for path in (PAGE, MESSAGES, SESSIONS):
        assert client.get(path).status_code == 302


# --- the team's sessions ------------------------------------------------------------------------


def test_the_sessions_of_the_team_are_listed_newest_first(as_owner, team, owner):
    rows = [make_request(team=team, person=owner, mode="realtime") for _ in range(10)]
    make_request(team=team, person=owner, endpoint_id="acme/queued")
    listed = text(as_owner.get(SESSIONS))
    found = re.findall(r"/requests/([0-9a-f-]{36})/", listed)
    assert found == [str(row.public_id) for row in rows[:1:-1]]
    assert "acme/queued" not in listed


def test_an_open_session_can_be_watched_and_an_ended_one_says_how_long_it_took(as_owner, session):
    assert "watch it live" in text(as_owner.get(SESSIONS))
    FalRequest.objects.filter(pk=session.pk).update(
        status=Status.COMPLETED, ended_at=session.created_at
    )
    assert "watch it live" not in text(as_owner.get(SESSIONS))


def test_strangers_see_none_of_them(as_stranger, session):
    assert str(session.public_id) not in text(as_stranger.get(SESSIONS))


# --- kept messages ------------------------------------------------------------------------------


def test_a_message_is_kept_for_the_team_and_the_endpoint(as_owner, as_viewer, team, owner):
    reply = keep(as_owner, endpoint_id=" acme/echo ", text='{\r\n "seed": 12345678901234567890}')
    assert reply.status_code == 200
    assert "Saved “hello”." in text(reply)
    [message] = Preset.objects.all()
    assert (message.team, message.saved_by, message.endpoint_id) == (team, owner, "acme/echo")
    assert message.text == '{\n "seed": 12345678901234567890}'
    assert "hello" in text(as_viewer.get(MESSAGES, {"endpoint_id": "acme/echo"}))
    assert "hello" not in text(as_viewer.get(MESSAGES, {"endpoint_id": "acme/other"}))


def test_a_message_of_the_same_name_is_replaced(as_owner, team):
    kept(team)
    assert "Replaced “hello”." in text(keep(as_owner, text="[2]"))
    assert [message.text for message in Preset.objects.all()] == ["[2]"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "Give it a name."),
        ({"name": "x" * 81}, "at most 80"),
        ({"text": ""}, "There is no message to save."),
        ({"text": '{"a": }'}, "line 1, column 7"),
        ({"text": '{"a": NaN}'}, "NaN"),
        ({"text": "[" * 2000}, "nested"),
        ({"text": f"[{'0,' * MAX_NODES}0]"}, f"more than {MAX_NODES:,} values"),
        ({"text": f"[{'[],' * MAX_NODES}0]"}, f"more than {MAX_NODES:,} values"),
        ({"text": '{"a": "\x00"}'}, "Null characters"),
        ({"endpoint_id": "nonsense"}, "endpoint"),
        ({"endpoint_id": ""}, "Give the endpoint first"),
    ],
)
def test_what_cannot_be_kept_is_said_and_keeps_nothing(as_owner, wrong, sentence):
    reply = keep(as_owner, **wrong)
    assert reply.status_code == 422
    assert sentence in text(reply)
    assert not Preset.objects.exists()


def test_a_refused_name_stays_in_its_field(as_owner):
    assert 'value="my name"' in text(keep(as_owner, name="my name", text="{"))


def test_a_long_message_is_refused(as_owner, monkeypatch):
    monkeypatch.setattr(saving, "MOST_CHARACTERS", 10)
    assert keep(as_owner, text='"12345678"').status_code == 200
    assert keep(as_owner, text='"123456789"').status_code == 422


def test_a_full_list_takes_no_new_name_and_still_replaces(as_owner, team, monkeypatch):
    monkeypatch.setattr(saving, "MOST_PRESETS", 1)
    kept(team)
    assert "delete one first" in text(keep(as_owner, name="second"))
    assert keep(as_owner, name="hello").status_code == 200


def test_names_and_messages_are_escaped(as_owner, team):
    kept(team, name=HOSTILE[:80], text=f'"{HOSTILE[:8]}"')
    shown = text(as_owner.get(MESSAGES, {"endpoint_id": "acme/echo"}))
    assert "<script>" not in shown
    assert "&lt;/script&gt;" in shown


@pytest.mark.slow
def test_many_long_messages_make_a_short_list(as_owner, team):
    for number in range(saving.MOST_PRESETS):
        kept(team, name=f"message {number}", text='"' + '"<é' * 83_000 + '"')
    listed = as_owner.get(MESSAGES, {"endpoint_id": "acme/echo"})
    assert listed.text.count("data-load=") == saving.MOST_PRESETS
    assert len(listed.content) < 300_000


def test_the_whole_text_of_a_message_comes_by_itself(as_owner, as_viewer, team):
    long = '{\n "seed": 12345678901234567890, "é": "' + "<b>" * 80_000 + '"}'
    message = kept(team, text=long)
    listed = text(as_owner.get(MESSAGES, {"endpoint_id": "acme/echo"}))
    [address] = re.findall(r'data-load="([^"]+)"', listed)
    assert address == reverse("requests:message", args=[message.pk])
    for client in (as_owner, as_viewer):
        reply = client.get(address)
        assert text(reply) == long
        assert reply["Content-Type"] == "text/plain; charset=utf-8"
        assert reply["X-Content-Type-Options"] == "nosniff"


def test_the_text_of_a_foreign_message_is_as_missing_as_one_that_never_was(as_stranger, team):
    foreign = as_stranger.get(reverse("requests:message", args=[kept(team).pk]))
    missing = as_stranger.get(reverse("requests:message", args=[10**30]))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_a_deleted_message_can_be_brought_back(as_owner, team):
    message = kept(team)
    reply = as_owner.post(reverse("requests:delete_message", args=[message.pk]))
    assert "Deleted “hello”." in text(reply)
    assert not Preset.objects.exists()
    assert "Undo" in text(reply)
    [undo] = re.findall(r'hx-vals="(.+?)"', text(reply))
    again = as_owner.post(MESSAGES, json.loads(html.unescape(undo)))
    assert "Saved “hello”." in text(again)
    assert Preset.objects.get().text == message.text


def test_viewers_change_nothing(as_viewer, team):
    message = kept(team)
    assert keep(as_viewer, name="mine").status_code == 403
    assert as_viewer.post(reverse("requests:delete_message", args=[message.pk])).status_code == 403
    shown = text(as_viewer.get(MESSAGES, {"endpoint_id": "acme/echo"}))
    assert "Save this message" not in shown
    assert "delete" not in shown
    assert Preset.objects.count() == 1


def test_a_foreign_message_is_as_missing_as_one_that_never_was(as_stranger, team):
    message = kept(team)
    foreign = as_stranger.post(reverse("requests:delete_message", args=[message.pk]))
    missing = as_stranger.post(reverse("requests:delete_message", args=[10**30]))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    assert Preset.objects.count() == 1
    assert "hello" not in text(as_stranger.get(MESSAGES, {"endpoint_id": "acme/echo"}))


def test_without_a_csrf_token_nothing_is_kept_or_deleted(owner, team):
    message = kept(team)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert keep(client).status_code == 403
    assert client.post(reverse("requests:delete_message", args=[message.pk])).status_code == 403


@pytest.mark.parametrize("method", ["put", "delete"])
def test_other_methods_are_refused(as_owner, method):
    assert getattr(as_owner, method)(MESSAGES).status_code == 405
