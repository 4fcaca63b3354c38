"""Presets that a newer document of their endpoint breaks, and those that it does not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.catalogue import pasted, store
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Preset, Team
from requests_app.presets import saving
from requests_app.presets.fitting import broken
from tests.catalogue.conftest import DocumentServer, server
from tests.catalogue.documents import whole

__all__ = ["server"]
START = timezone.now() - timedelta(days=9)
STEPS = {"type": "integer", "minimum": 1, "maximum": 8}
LORAS = {"type": "array", "items": {"type": "object", "properties": {"a/b": {}, "scale": {}}}}
BEFORE = {"prompt": {"type": "string"}, "steps": STEPS, "style": {"type": "string"}, "loras": LORAS}
LORAS_AFTER = {"type": "array", "items": {"type": "object", "properties": {"scale": {}}}}
AFTER = {"prompt": {"type": "string"}, "steps": STEPS | {"maximum": 4}, "loras": LORAS_AFTER}


def see(server: DocumentServer, day: float, properties: dict[str, Any], *required: str) -> None:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    server.body = json.dumps(whole({"In": schema})).encode()
    store.refresh(EndpointId.parse("acme/thing"), now=at(day))


def at(day: float) -> datetime:
    return START + timedelta(days=day)


@pytest.fixture
def kept(team: Team, owner: User) -> Any:
    def keep(text: str, *, day: float = 1, name: str = "one") -> Preset:
        preset, _ = saving.save(
            team=team, person=owner, endpoint_id="acme/thing", name=name, text=text, now=at(day)
        )
        return preset

    return keep


def told(preset: Preset) -> tuple[str, ...]:
    return broken(preset.team, [preset]).get(preset.pk, ())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ('{"prompt": "x", "steps": 8}', ("field steps: Must be 4 or less",)),
        ('{"prompt": "x", "style": "oil"}', ("field style is gone",)),
        ('{"prompt": "x", "loras": [{}, {"a/b": 1}]}', ("field loras/*/a~1b is gone",)),
        ('{"style": "oil", "steps": 5}', ("field style is gone", "field steps: Must be 4 or less")),
        ('{"prompt": "x", "steps": 4}', ()),
        ('{"prompt": "x", "other": 4}', ()),  # never in a document: it was meant
        ('{"steps": "{{steps}}"}', ()),  # decided by its user
        ('{"steps": 99}', ()),  # refused before, too
        ("{}", ()),
    ],
)
def test_a_preset_is_broken_by_what_the_change_took(
    server: DocumentServer, kept: Any, text: str, sentences: tuple[str, ...]
) -> None:
    see(server, 0, BEFORE, "prompt")
    preset = kept(text)
    see(server, 2, AFTER, "prompt")
    assert told(preset) == sentences


def test_a_field_that_is_required_now_breaks_a_preset_without_it(
    server: DocumentServer, kept: Any
) -> None:
    see(server, 0, BEFORE)
    one, other = kept("{}"), kept('{"prompt": "{{what}}"}', name="two")
    see(server, 2, BEFORE, "prompt")
    assert told(one) == ("field prompt: This field is required",)
    assert told(other) == ()


def test_a_later_change_of_something_else_mends_no_preset(
    server: DocumentServer, kept: Any
) -> None:
    see(server, 0, BEFORE)
    preset = kept('{"steps": 8}')
    see(server, 2, AFTER)
    see(server, 3, AFTER | {"seed": {"type": "integer"}})
    assert told(preset) == ("field steps: Must be 4 or less",)


def test_a_preset_saved_since_then_is_judged_by_its_own_time(
    server: DocumentServer, kept: Any
) -> None:
    see(server, 0, BEFORE)
    kept('{"steps": 8}')
    see(server, 2, AFTER)
    mended = kept('{"steps": 2}', day=3)
    assert told(mended) == ()
    assert mended.version == 2


def test_a_preset_older_than_the_first_document_is_judged_by_that(
    server: DocumentServer, kept: Any
) -> None:
    preset = kept('{"steps": 8}', day=-1)
    assert told(preset) == ()
    see(server, 0, BEFORE)
    assert told(preset) == ()
    see(server, 2, AFTER)
    assert told(preset) == ("field steps: Must be 4 or less",)


def test_many_problems_are_counted(server: DocumentServer, kept: Any) -> None:
    names = {f"f{n}": {"type": "string"} for n in range(9)}
    see(server, 0, names)
    preset = kept(json.dumps(dict.fromkeys(names, "x")))
    see(server, 2, {})
    assert told(preset)[-1] == "4 more"
    assert len(told(preset)) == 6


def test_presets_are_read_once_for_each_document(
    server: DocumentServer, kept: Any, team: Team, django_assert_num_queries: Any
) -> None:
    see(server, 0, BEFORE)
    presets = [kept('{"steps": 8}', name=f"p{n}") for n in range(9)]
    see(server, 2, AFTER)
    assert len(broken(team, presets)) == 9
    with django_assert_num_queries(3):
        assert len(broken(team, presets)) == 9


def test_a_document_that_the_team_pastes_breaks_its_own_presets_alone(
    server: DocumentServer, kept: Any, team: Team, owner: User, stranger: User
) -> None:
    see(server, 0, BEFORE)
    preset = kept('{"style": "oil"}')
    other = Team.objects.get(memberships__user=stranger)
    theirs, _ = saving.save(
        team=other, person=stranger, endpoint_id="acme/thing", name="x", text=preset.text, now=at(1)
    )
    raw = json.dumps(whole({"In": {"type": "object", "properties": AFTER}})).encode()
    pasted.paste(team, EndpointId.parse("acme/thing"), raw, person=owner, now=at(3))
    assert told(preset) == ("field style is gone",)
    assert told(theirs) == ()
    pasted.use_fals(team, EndpointId.parse("acme/thing"), person=owner)
    assert told(preset) == ()
