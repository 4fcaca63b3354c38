"""What is kept about a user, as one JSON object."""

from __future__ import annotations

import json

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User

from requests_app.models import ApiToken, Team
from requests_app.teams import personal_data
from tests.builders import make_person, make_request

pytestmark = pytest.mark.django_db


def told(user: User) -> dict[str, object]:
    return json.loads(b"".join(personal_data.pieces_of(user)))


def test_it_has_the_persons_own_and_no_content_and_no_secret(team: Team, owner: User) -> None:
    mia, tom = make_person("mia", team=team), make_person("tom", team=team)
    EmailAddress.objects.create(user=mia, email="mia@example.org", verified=True, primary=True)
    secret = ApiToken.issue(mia, team, name="laptop")
    row = make_request(team=team, person=mia, input={"prompt": "a secret \u201clake\u201d"})
    theirs = make_request(team=team, person=tom)
    known = told(mia)
    assert known["account"]["username"] == "mia"  # type: ignore[index]
    assert [one["email"] for one in known["email_addresses"]] == ["mia@example.org"]  # type: ignore[attr-defined]
    assert [one["team_name"] for one in known["memberships"]] == [team.name]  # type: ignore[attr-defined]
    assert [one["name"] for one in known["api_tokens"]] == ["laptop"]  # type: ignore[attr-defined]
    assert [one["public_id"] for one in known["requests"]] == [str(row.public_id)]  # type: ignore[attr-defined]
    acts = {one["act"] for one in known["audit_entries"]}  # type: ignore[attr-defined]
    assert "request.submit" in acts
    text = json.dumps(known)
    assert secret not in text and "lake" not in text and str(theirs.public_id) not in text
    assert ApiToken.objects.get().digest not in text and mia.password not in text


def test_of_an_account_without_anything_it_is_readable_too() -> None:
    known = told(User.objects.create(username="new"))
    assert known["requests"] == [] and known["sessions"] == []


def test_of_a_team_that_was_left_nothing_is_told(team: Team, owner: User) -> None:
    mia = make_person("mia", team=team)
    make_request(team=team, person=mia)
    mia.memberships.all().delete()
    text = b"".join(personal_data.pieces_of(mia)).decode()
    assert team.name not in text and json.loads(text)["requests"] == []
