"""One request is emptied or deleted on its page, by who manages the team, after a question."""

from __future__ import annotations

import pytest
from django.urls import reverse

from requests_app.models import FalDeletion, FalRequest, Role
from tests.browsers import Browser
from tests.builders import make_person, make_queued
from tests.upkeep.test_retention import SECRET, everything_stored, make_ended
from tests.views.request_page import page


@pytest.fixture
def row(team, owner):
    made = make_ended(team, owner, days=2)
    FalRequest.objects.filter(pk=made.pk).update(due_at=None)
    return made


def address(row: FalRequest) -> str:
    return reverse("requests:delete_request", args=[row.public_id])


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_who_manages_deletes(row, team, role, as_stranger):
    client = Browser()
    client.force_login(make_person("low", team=team, role=role))
    assert client.get(address(row)).status_code == 403
    assert client.post(address(row), {"verb": "delete"}).status_code == 403
    assert "Delete…" not in page(client, row)
    assert as_stranger.get(address(row)).status_code == 404
    assert as_stranger.post(address(row), {"verb": "delete"}).status_code == 404
    assert SECRET in everything_stored(row)


def test_the_question_says_what_goes_and_nothing_goes_without_a_choice(as_owner, row):
    assert "Delete…" in page(as_owner, row)
    assert "cannot be run again" in " ".join(as_owner.get(address(row)).text.split())
    assert as_owner.post(address(row), {"verb": "all"}).status_code == 422
    assert SECRET in everything_stored(row)


def test_input_and_output_go_once_and_the_row_stays(as_owner, row):
    said = as_owner.post(address(row), {"verb": "payload"}, follow=True)
    assert "Input and output are deleted here" in said.text
    assert SECRET not in everything_stored(row)
    again = as_owner.post(address(row), {"verb": "payload"})
    assert again.status_code == 422 and "Nothing was deleted" in again.text


def test_the_whole_request_goes_when_it_has_ended(as_owner, row, team, owner):
    open_ = make_queued("req-2", team=team, person=owner)
    assert as_owner.post(address(open_), {"verb": "delete"}).status_code == 422
    assert "is deleted here" in as_owner.post(address(row), {"verb": "delete"}, follow=True).text
    assert list(FalRequest.objects.all()) == [open_]


@pytest.fixture
def named(row):
    """The same, with an id of fal's form."""
    FalRequest.objects.filter(pk=row.pk).update(fal_request_id=str(row.public_id))
    row.refresh_from_db()
    return row


def test_fal_is_asked_only_when_it_is_chosen_and_only_where_it_can_be(as_owner, row):
    assert "cannot be deleted from here" in as_owner.get(address(row)).text
    as_owner.post(address(row), {"verb": "payload", "at_fal": "1"})
    assert not FalDeletion.objects.exists()
    assert "At fal nothing was deleted" in page(as_owner, row)


def test_what_fal_answered_stands_on_the_page_and_a_refusal_may_be_asked_again(as_owner, named):
    assert 'name="at_fal"' in as_owner.get(address(named)).text
    said = as_owner.post(address(named), {"verb": "payload", "at_fal": "1"}, follow=True).text
    assert "fal is asked to delete what it keeps" in said and "no answer yet" in said
    assert "Ask fal again" not in as_owner.get(address(named)).text
    FalDeletion.objects.update(
        state="refused", note="fal did not: Missing permission.", due_at=None
    )
    assert "At fal: fal did not: Missing permission." in page(as_owner, named)
    assert "Ask fal again" in as_owner.get(address(named)).text
    as_owner.post(address(named), {"verb": "at_fal"})
    assert FalDeletion.objects.get().is_waiting
    again = as_owner.post(address(named), {"verb": "at_fal"}, follow=True)
    assert "it was asked before" in again.text


def test_a_whole_request_is_deleted_at_fal_as_well(as_owner, named):
    as_owner.post(address(named), {"verb": "delete", "at_fal": "1"})
    assert not FalRequest.objects.exists()
    asked = FalDeletion.objects.get()
    assert (asked.public_id, asked.fal_request_id) == (named.public_id, named.fal_request_id)
