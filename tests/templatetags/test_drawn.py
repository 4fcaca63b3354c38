"""A part that is drawn once: it sees the values that it is given, and no page gets another one's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client, override_settings
from django.utils.safestring import mark_safe

from requests_app.models import Membership, Role, Team
from requests_app.templatetags.drawn import drawn
from tests.builders import make_person

TEMPLATES = {
    "part.html": "<p>{{ name }}|{{ number }}|{{ user }}|{{ frame }}</p>",
    "form.html": "<form>{% csrf_token %}{{ name }}</form>",
}
ENGINE = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", TEMPLATES)]},
}
with_templates = override_settings(TEMPLATES=[ENGINE])


@with_templates
def test_a_part_sees_its_values_alone_escaped() -> None:
    page = {"user": "ada", "frame": {"secret": 1}, "csrf_token": "t"}
    assert drawn(page, "part.html", name="<b>", number=3) == "<p>&lt;b&gt;|3||</p>"


@with_templates
def test_values_are_taken_from_a_mapping_by_their_names() -> None:
    frame = {"name": "a team", "number": 5, "user": "not asked for"}
    assert drawn({}, "part.html", frame, "name number") == "<p>a team|5||</p>"


@with_templates
@pytest.mark.parametrize("pair", [(1, True), (0, False), ("1", 1), (0, ""), (None, "")])
def test_values_that_are_equal_and_look_different_are_drawn_apart(pair: tuple[Any, Any]) -> None:
    wanted = [f"<p>|{value}||</p>" for value in pair]
    assert [drawn({}, "part.html", name="", number=value) for value in pair] == wanted
    assert [drawn({}, "part.html", name="", number=value) for value in pair] == wanted


@with_templates
@pytest.mark.parametrize("value", [mark_safe("<b>"), [], {}, 1.5, Team(name="a")], ids=repr)
def test_markup_and_what_can_change_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="Not a plain value: name"):
        drawn({}, "part.html", name=value)


@with_templates
def test_each_page_gets_its_own_token() -> None:
    page = Template("{% load drawn %}{% drawn 'form.html' name=word %}")
    for token in ("first", "second", "first"):
        html = page.render(Context({"csrf_token": token, "word": "x"}))
        assert re.findall(r'value="([^"]*)"', html) == [token]


def test_header_and_foot_are_of_the_reader(team: Team, as_owner: Client, as_viewer: Client) -> None:
    """Each page twice: the second time from what was kept."""
    for _ in range(2):
        mine, theirs = (client.get("/requests/").text for client in (as_owner, as_viewer))
        assert "owner in " in mine
        assert "viewer in " in theirs
        assert 'data-key="n"' in mine
        assert 'data-key="n"' not in theirs
        assert 'value="delete"' in mine
        assert "data-palette" in mine
        assert "data-palette" in theirs


def test_a_new_role_shows_at_once(team: Team, owner: User, as_viewer: Client) -> None:
    assert "viewer in " in as_viewer.get("/requests/").text
    Membership.objects.exclude(user=owner).update(role=Role.MEMBER)
    html = as_viewer.get("/requests/").text
    assert "member in " in html
    assert 'data-key="n"' in html


def test_a_page_without_a_user_or_team_has_no_part_of_one(db: None) -> None:
    entrance = Client().get("/accounts/login/").text
    assert "Log out" not in entrance
    assert 'id="palette"' not in entrance
    alone = Client()
    alone.force_login(make_person("nora"))
    html = alone.get("/requests/").text
    assert "Log out" in html
    assert 'id="palette"' not in html
