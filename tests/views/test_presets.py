"""The pages of presets: who sees, saves and changes them, and how one comes into the request form."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app.models import FalRequest, Preset, Use
from requests_app.presets import saving
from tests.views.request_page import HOSTILE
from tests.views.test_actions import NEW, filled

PRESETS = reverse("requests:presets")
MENU = reverse("requests:preset_menu")


@pytest.fixture
def preset(team, owner) -> Preset:
    return make(team, owner)


def make(team, owner, text: str = '{"prompt": "a {{subject}}", "seed": 1.50}', **more: Any) -> Any:
    usual = {"endpoint_id": "acme/img", "name": "sunset", "now": timezone.now()}
    made, _ = saving.save(team=team, person=owner, text=text, **usual | more)
    return made


def at(name: str, preset: Preset) -> str:
    return reverse(f"requests:{name}", args=[preset.public_id])


def test_the_form_is_saved_as_a_preset_of_its_endpoint(as_owner, team, owner):
    reply = as_owner.post(
        PRESETS,
        filled(name="dusk", mode="run", input='{\r\n "seed": 9007199254740993}', priority="low"),
    )
    assert reply.status_code == 200
    assert "Saved “dusk”, version 1." in reply.text
    kept = Preset.objects.get()
    assert (kept.team, kept.saved_by, kept.endpoint_id) == (team, owner, "acme/img")
    assert (kept.text, kept.mode) == ('{\n "seed": 9007199254740993}', "run")
    assert kept.options == {"priority": "low"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "Give the preset a name."),
        ({"name": "x" * 81}, "at most 80"),
        ({"input": '{"a": }'}, "line 1, column 7"),
        ({"input": "[]"}, "JSON object"),
        ({"input": '{"{{a}}": 1}'}, "in a name"),
        ({"endpoint_id": "nonsense"}, "The endpoint:"),
        ({"mode": "realtime"}, "The mode:"),
        ({"headers": "no colon"}, "Line 1"),
    ],
)
def test_what_cannot_be_saved_is_said_and_saves_nothing(as_owner, wrong, sentence):
    reply = as_owner.post(PRESETS, {**filled(name="dusk"), **wrong})
    assert reply.status_code == 422
    assert sentence in reply.text
    assert not Preset.objects.exists()


def test_the_menu_lists_the_endpoints_presets_alone(as_owner, team, owner, preset):
    make(team, owner, name="other", endpoint_id="acme/other")
    make(team, owner, name="message", use=Use.MESSAGE)
    shown = as_owner.get(MENU, {"endpoint_id": " acme/img "}).text
    assert "sunset" in shown
    assert "other" not in shown
    assert "message" not in shown


def test_a_preset_fills_the_form(as_owner, preset):
    shown = as_owner.get(NEW, {"preset": preset.public_id}).text
    assert 'value="acme/img"' in shown
    assert "&quot;seed&quot;: 1.50" in shown
    assert 'data-variable="subject"' in shown


def test_a_variable_without_a_value_is_not_sent_unless_it_is_meant(as_owner):
    text = '{"prompt": "a {{subject}}"}'
    reply = as_owner.post(NEW, filled(input=text))
    assert reply.status_code == 422
    assert "The variable {{subject}} has no value yet." in reply.text
    assert not FalRequest.objects.exists()
    assert as_owner.post(NEW, filled(input=text, unchecked="1")).status_code == 302
    assert FalRequest.objects.get().input_text == text


def test_versions_are_shown_and_restored(as_owner, as_viewer, team, owner, preset):
    make(team, owner, '{"prompt": "newer"}')
    for client in (as_owner, as_viewer):
        assert "newer" in client.get(at("preset", preset)).text
        assert "{{subject}}" in client.get(at("preset", preset), {"version": 1}).text
        assert client.get(at("preset", preset), {"version": 7}).status_code == 404
        assert client.get(at("preset", preset), {"version": "x"}).status_code == 404
    as_owner.post(at("restore_preset", preset), {"version": 1})
    preset.refresh_from_db()
    assert (preset.version, preset.text) == (3, '{"prompt": "a {{subject}}", "seed": 1.50}')


def test_a_preset_is_renamed_and_deleted(as_owner, team, owner, preset):
    make(team, owner, name="taken")
    for name, sentence in (("taken", "already"), (" ", "Give the preset"), ("dusk", "Renamed")):
        reply = as_owner.post(at("rename_preset", preset), {"name": name}, follow=True)
        assert sentence in reply.text
    assert sorted(Preset.objects.values_list("name", flat=True)) == ["dusk", "taken"]
    as_owner.post(at("delete_preset", preset))
    assert Preset.objects.get().name == "taken"


@pytest.mark.parametrize("act", ["rename_preset", "restore_preset", "delete_preset"])
def test_viewers_change_nothing(as_viewer, team, owner, preset, act):
    make(team, owner, '{"prompt": "newer"}')
    before = list(Preset.objects.values())
    reply = as_viewer.post(at(act, preset), {"name": "mine", "version": 1})
    assert reply.status_code == 403
    assert as_viewer.post(PRESETS, filled(name="mine")).status_code == 403
    assert list(Preset.objects.values()) == before
    for page in (PRESETS, at("preset", preset), f"{MENU}?endpoint_id=acme/img"):
        shown = as_viewer.get(page).text
        assert "sunset" in shown
        for word in ("Rename", "Delete preset", "Save as preset", ">Use"):
            assert word not in shown


@pytest.mark.parametrize("act", ["preset", "rename_preset", "restore_preset", "delete_preset"])
def test_a_foreign_preset_is_as_missing_as_one_that_never_was(as_stranger, preset, act):
    send = as_stranger.get if act == "preset" else as_stranger.post
    missing = reverse(f"requests:{act}", args=[uuid.uuid4()])
    replies = [send(address) for address in (at(act, preset), missing)]
    assert [reply.status_code for reply in replies] == [404, 404]
    assert replies[0].content == replies[1].content
    assert Preset.objects.filter(pk=preset.pk, name="sunset").exists()
    assert "sunset" not in as_stranger.get(PRESETS).text
    assert "sunset" not in as_stranger.get(MENU, {"endpoint_id": "acme/img"}).text
    assert as_stranger.get(NEW, {"preset": preset.public_id}).status_code == 404


def test_a_saved_message_is_no_preset_of_the_form(as_owner, team, owner):
    message = make(team, owner, name="message", use=Use.MESSAGE)
    assert as_owner.get(at("preset", message)).status_code == 404
    assert as_owner.post(at("delete_preset", message)).status_code == 404


def test_names_and_texts_are_escaped(as_owner, team, owner):
    text = json.dumps({"prompt": HOSTILE})
    kept = make(team, owner, text, name=HOSTILE[:80])
    for page in (PRESETS, at("preset", kept), f"{NEW}?preset={kept.public_id}"):
        assert "<script>alert" not in as_owner.get(page).text


def test_a_first_visit_says_what_a_preset_is(as_owner, as_viewer):
    assert "No preset yet" in as_owner.get(PRESETS).text
    assert "Fill in a request" not in as_viewer.get(PRESETS).text
