"""The download of what is kept about a user, and the deletion of the account, behind a recent log-in."""

from __future__ import annotations

import json

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.urls import reverse

from requests_app.models import Membership
from tests.browsers import Browser
from tests.builders import make_person

DATA, DELETE = reverse("account_data"), reverse("account_delete")


@pytest.fixture
def mia(team):
    return make_person("mia", team=team)


@pytest.fixture
def as_mia(mia):
    client = Browser()
    client.force_login(mia)
    return client


def test_an_old_log_in_is_asked_for_first(as_mia, mia):
    session = as_mia.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = []
    session.save()
    for path in (DATA, DELETE):
        assert reverse("account_reauthenticate") in as_mia.get(path)["Location"]
    assert as_mia.post(DELETE, {"name": "mia"}).status_code == 302
    assert User.objects.filter(username="mia").exists()


def test_the_account_page_leads_to_both(as_mia):
    page = as_mia.get(reverse("account_home")).text
    assert DATA in page and DELETE in page


def test_the_question_says_what_stays_and_only_the_typed_name_deletes(as_mia, team, mia):
    page = as_mia.get(DELETE).text
    assert "former member" in page and team.name in page and "audit trail" in page
    refused = as_mia.post(DELETE, {"name": "Mia "})
    assert refused.status_code == 422 and 'value="Mia "' in refused.text
    assert Membership.objects.filter(user=mia).exists()
    done = as_mia.post(DELETE, {"name": "mia"}, follow=True)
    assert "Your account is deleted." in done.text
    assert as_mia.get("/requests/").status_code == 302
    assert not Membership.objects.filter(user=mia).exists()


def test_the_last_owner_is_told_which_team_needs_another(as_owner, team):
    page = as_owner.get(DELETE).text
    assert "You are the only owner" in page and "Delete my account" not in page
    refused = as_owner.post(DELETE, {"name": "olga"})
    assert refused.status_code == 422 and team.name in refused.text


async def read(reply):
    return b"".join([piece async for piece in reply.streaming_content])


@pytest.mark.django_db(transaction=True)
def test_the_download_is_streamed_and_kept_by_no_cache(as_owner):
    reply = as_owner.get(DATA)
    told = json.loads(async_to_sync(read)(reply))
    assert told["account"]["username"] == "olga"
    assert "about-me.json" in reply["Content-Disposition"]
    assert "no-store" in reply["Cache-Control"]
