"""What a person does: each action once, by those who may, with the truth as the answer."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.forms.submit import new_token
from requests_app.models import FalRequest, Membership, Role, Status, Team
from tests.browsers import Browser
from tests.builders import hear, make_queued, make_request, make_result

HX = {"HTTP_HX_REQUEST": "true"}
HOSTILE = '</textarea></script><script>alert(1)</script>"><img src=x onerror=alert(1)>'
NEW = "/requests/new/"


def filled(**fields: str) -> dict[str, str]:
    values = {
        "token": new_token(), "endpoint_id": "acme/img", "mode": "queue", "input": '{"prompt": "x"}',
    }  # fmt: skip
    return {**values, **fields}


def url(name: str, row: FalRequest) -> str:
    return reverse(f"requests:{name}", args=[row.public_id])


# --- submit -----------------------------------------------------------------------------------


def test_without_javascript_a_submit_leads_to_the_requests_page(as_owner, team, owner):
    reply = as_owner.post(NEW, filled())
    row = FalRequest.objects.get()
    assert (reply.status_code, reply["Location"]) == (302, url("detail", row))
    assert (row.team, row.person, row.status) == (team, owner, Status.PENDING)
    assert json.loads(row.input_text) == {"prompt": "x"}


def test_with_javascript_it_stays_and_names_the_new_row(as_owner):
    reply = as_owner.post(NEW, filled(), **HX)
    row = FalRequest.objects.get()
    assert reply.status_code == 200
    assert json.loads(reply["HX-Trigger"]) == {"request:created": {"id": str(row.public_id)}}
    assert 'id="form-token"' in reply.content.decode()


@pytest.mark.parametrize("headers", [{}, HX])
def test_the_same_form_sent_again_makes_no_second_request(as_owner, headers):
    form = filled()
    replies = [as_owner.post(NEW, form, **headers) for _ in range(3)]
    assert FalRequest.objects.count() == 1
    assert len({reply.get("Location", reply.get("HX-Trigger")) for reply in replies}) == 1


def test_each_answer_brings_a_new_key_so_that_the_next_submit_is_a_new_request(as_owner):
    first = filled()
    reply = as_owner.post(NEW, first, **HX)
    token = reply.context["form"]["token"].value()
    assert token != first["token"]
    as_owner.post(NEW, {**first, "token": token, "allow_duplicate": "1"}, **HX)
    assert FalRequest.objects.count() == 2


def test_a_key_that_was_used_with_other_values_is_an_error_and_loses_nothing(as_owner):
    form = filled()
    as_owner.post(NEW, form)
    reply = as_owner.post(NEW, {**form, "input": '{"prompt": "changed"}'})
    assert reply.status_code == 422
    assert FalRequest.objects.count() == 1
    assert "Press Submit again" in reply.content.decode()
    assert "changed" in reply.content.decode()
    assert reply.context["form"]["token"].value() != form["token"]


def test_anothers_key_is_no_key_of_mine(as_owner, teammate):
    form = filled()
    as_owner.post(NEW, form)
    theirs = Browser()
    theirs.force_login(teammate)
    theirs.post(NEW, {**form, "input": '{"prompt": "y"}'})
    assert FalRequest.objects.count() == 2


def test_a_wrong_form_comes_back_as_it_was_with_the_errors(as_owner):
    wrong = filled(
        endpoint_id="acme", mode="stream", input='{"a": tru}', priority="low", start_timeout="soon",
        no_retry="on", store_io="no", runner_hint="ü", headers="nope",
    )  # fmt: skip
    reply = as_owner.post(NEW, wrong)
    page = reply.content.decode()
    assert reply.status_code == 422
    assert not FalRequest.objects.exists()
    assert "line 1, column 7" in page
    for typed in ("acme", "{&quot;a&quot;: tru}", "soon", "ü", "nope"):
        assert typed in page
    assert 'value="stream" checked' in page
    assert 'value="low" selected' in page
    assert 'value="no" selected' in page
    assert page.count(" checked") == 2
    assert '<details class="options" open' in page


def test_with_javascript_only_the_errors_travel(as_owner):
    reply = as_owner.post(NEW, filled(input="{"), **HX)
    page = reply.content.decode()
    assert reply.status_code == 422
    assert "<textarea" not in page
    assert 'id="error-input"' in page
    assert "line 1" in page


def test_what_was_typed_cannot_become_markup(as_owner):
    hostile = filled(endpoint_id=HOSTILE, input=HOSTILE, headers=HOSTILE, runner_hint=HOSTILE)
    for headers in ({}, HX):
        page = as_owner.post(NEW, hostile, **headers).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_form_without_its_key_makes_nothing(as_owner):
    form = filled()
    del form["token"]
    reply = as_owner.post(NEW, form)
    assert (reply.status_code, FalRequest.objects.count()) == (422, 0)
    assert "renewed" in reply.content.decode()


def test_it_offers_what_an_example_and_an_earlier_request_say(as_owner, team, owner, settings):
    settings.SANDBOX = True
    assert "lighthouse" in as_owner.get(NEW, {"endpoint": "sandbox/image"}).content.decode()
    row = make_request(
        team=team,
        person=owner,
        endpoint_id="acme/old",
        mode="run",
        input={"p": HOSTILE},
        priority="low",
    )
    reply = as_owner.get(NEW, {"again": str(row.public_id)})
    page = reply.content.decode()
    assert 'value="acme/old"' in page
    assert 'value="run" checked' in page
    assert 'value="low" selected' in page
    assert str(row.public_id) in page
    assert "<script>alert" not in page


def test_the_filled_in_form_of_an_uncertain_request_warns(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the connection broke", now=timezone.now())
    assert "may cost twice" in as_owner.get(NEW, {"again": str(row.public_id)}).content.decode()


def test_a_repeat_is_linked_to_what_it_repeats(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    as_owner.post(NEW, filled(again_of=str(row.public_id)))
    assert FalRequest.objects.latest("id").again_of == row


def test_a_repeat_of_something_foreign_is_not_linked(as_owner, stranger):
    theirs = make_request(team=stranger.memberships.get().team, person=stranger)
    as_owner.post(NEW, filled(again_of=str(theirs.public_id)))
    assert FalRequest.objects.latest("id").again_of is None


@pytest.mark.parametrize("again", ["nonsense", str(uuid.UUID(int=4))])
def test_repeating_what_is_not_there_is_a_404(as_owner, again):
    assert as_owner.get(NEW, {"again": again}).status_code == 404


# --- who may ------------------------------------------------------------------------------------

ACTIONS = ["cancel", "give_up", "again"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_foreign_request_is_as_missing_as_one_that_never_was(action, as_stranger, team, owner):
    row = make_queued(team=team, person=owner)
    before = FalRequest.objects.values().get()
    foreign = as_stranger.post(url(action, row), {"token": new_token()})
    row.public_id = uuid.uuid4()
    missing = as_stranger.post(url(action, row), {"token": new_token()})
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    assert FalRequest.objects.values().get() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_a_viewer_may_not_act(action, as_viewer, team, owner):
    row = make_queued(team=team, person=owner)
    before = FalRequest.objects.values().get()
    assert as_viewer.post(url(action, row), {"token": new_token()}).status_code == 403
    assert FalRequest.objects.values().get() == before


def test_a_viewer_may_not_submit(as_viewer):
    assert as_viewer.get(NEW).status_code == 403
    assert as_viewer.post(NEW, filled()).status_code == 403
    assert not FalRequest.objects.exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_done_by_following_a_link(action, as_owner, team, owner):
    row = make_queued(team=team, person=owner)
    before = FalRequest.objects.values().get()
    expected = 200 if action == "give_up" else 405  # that link asks first
    assert as_owner.get(url(action, row)).status_code == expected
    assert FalRequest.objects.values().get() == before


def test_somebody_logged_out_is_asked_to_log_in(client, team, owner):
    row = make_queued(team=team, person=owner)
    for target in [NEW, *(url(action, row) for action in ACTIONS)]:
        reply = client.post(target, filled())
        assert reply.status_code == 302
        assert reply["Location"].startswith(reverse("account_login"))


def test_a_form_of_another_site_is_refused(owner, team):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    row = make_queued(team=team, person=owner)
    for target in [NEW, *(url(action, row) for action in ACTIONS)]:
        assert client.post(target, filled()).status_code == 403
    assert FalRequest.objects.count() == 1


# --- cancel, give up, again -----------------------------------------------------------------------


def test_cancelling_what_was_not_sent_says_that_nothing_ran(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    reply = as_owner.post(url("cancel", row), follow=True)
    row.refresh_from_db()
    assert row.status == Status.CANCELLED
    assert "nothing ran" in reply.content.decode()


def test_cancelling_at_fal_claims_nothing(as_owner, team, owner):
    row = make_queued(team=team, person=owner)
    reply = as_owner.post(url("cancel", row), **HX)
    row.refresh_from_db()
    assert reply.status_code == 204
    news = json.loads(reply["HX-Trigger"])
    assert "when fal says so" in news["toast"]["text"]
    assert news["request:acted"] == {"id": str(row.public_id)}
    assert row.status == Status.IN_QUEUE
    assert row.is_cancelling


@pytest.mark.parametrize("mode", ["run", "stream"])
def test_a_direct_call_is_hung_up_and_fal_is_asked_nothing(as_owner, team, owner, mode):
    row = make_request(team=team, person=owner, mode=mode)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    news = json.loads(as_owner.post(url("cancel", row), **HX)["HX-Trigger"])
    assert "We hang up" in news["toast"]["text"]
    page = as_owner.get(url("detail", row)).content.decode()
    assert "We hang up; fal then stops the work." in page
    assert "when fal says so" not in page


def test_cancelling_what_has_ended_changes_nothing(as_owner, team, owner):
    row = make_queued(team=team, person=owner)
    hear(row, make_result())
    reply = as_owner.post(url("cancel", row), **HX)
    row.refresh_from_db()
    assert "already ended" in reply["HX-Trigger"]
    assert (row.status, row.cancel_asked_at) == (Status.COMPLETED, None)


def test_the_way_back_leads_nowhere_else(as_owner, team, owner):
    row = make_queued(team=team, person=owner)
    back = as_owner.post(url("cancel", row), {"next": "/requests/?q=x"})
    assert back["Location"] == "/requests/?q=x"
    for evil in (
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
    ):
        assert as_owner.post(url("cancel", row), {"next": evil})["Location"] == url("detail", row)


def test_giving_up_ends_an_uncertain_request_alone(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    assert "no longer uncertain" in as_owner.post(url("give_up", row), **HX)["HX-Trigger"]
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the connection broke", now=timezone.now())
    as_owner.post(url("give_up", row))
    row.refresh_from_db()
    assert row.status == Status.FAILED


def test_giving_up_asks_first_without_javascript_too(as_owner, as_viewer, team, owner):
    row = make_request(team=team, person=owner)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the connection broke", now=timezone.now())
    asked = as_owner.get(url("give_up", row)).content.decode()
    row.refresh_from_db()
    assert row.status == Status.UNCERTAIN
    assert "it may run, and it may be paid" in asked
    assert f'action="{url("give_up", row)}"' in asked
    assert as_viewer.get(url("give_up", row)).status_code == 403
    as_owner.post(url("give_up", row))
    assert "no longer uncertain" in as_owner.get(url("give_up", row)).content.decode()


def test_run_again_makes_one_linked_request_however_often_it_is_sent(as_owner, team, owner):
    row = make_request(team=team, person=owner, mode="run", priority="low")
    token = new_token()
    replies = [as_owner.post(url("again", row), {"token": token}) for _ in range(3)]
    made = FalRequest.objects.exclude(pk=row.pk).get()
    assert {reply["Location"] for reply in replies} == {url("detail", made)}
    assert (made.again_of, made.endpoint_id, made.mode) == (row, row.endpoint_id, "run")
    assert json.loads(made.input_text) == json.loads(row.input_text)
    assert made.options == {"priority": "low"}


def test_run_again_without_a_key_only_shows_the_form(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    for token in ("", "short", "x" * 300):
        reply = as_owner.post(url("again", row), {"token": token})
        assert reply["Location"] == f"{NEW}?again={row.public_id}"
    assert FalRequest.objects.count() == 1


def test_a_key_of_one_request_repeats_no_other(as_owner, team, owner):
    one = make_request(team=team, person=owner)
    other = make_request(team=team, person=owner)
    token = new_token()
    as_owner.post(url("again", one), {"token": token})
    reply = as_owner.post(url("again", other), {"token": token})
    assert reply["Location"] == f"{NEW}?again={other.public_id}"
    assert FalRequest.objects.count() == 3


def test_a_request_whose_options_are_no_longer_allowed_is_shown_in_the_form(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(options={"headers": {"authorization": "x"}})
    reply = as_owner.post(url("again", row), {"token": new_token()})
    assert reply["Location"] == f"{NEW}?again={row.public_id}"
    assert FalRequest.objects.count() == 1


def test_with_javascript_run_again_leads_to_the_new_request(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    reply = as_owner.post(url("again", row), {"token": new_token()}, **HX)
    made = FalRequest.objects.latest("id")
    assert (reply.status_code, reply["HX-Redirect"]) == (204, url("detail", made))


# --- team -----------------------------------------------------------------------------------------


def test_switching_shows_another_of_ones_own_teams(as_owner, owner):
    second = Team.objects.create(name="Zeta")
    Membership.objects.create(team=second, user=owner, role=Role.MEMBER)
    assert as_owner.post("/team/", {"team": second.pk})["Location"] == "/requests/"
    as_owner.post(NEW, filled())
    assert FalRequest.objects.get().team == second


@pytest.mark.parametrize("chosen", ["", "x", "²", "-1", "9" * 40, "0"])
def test_a_team_that_is_not_there_is_a_404(as_owner, chosen):
    assert as_owner.post("/team/", {"team": chosen}).status_code == 404


def test_a_foreign_team_is_a_404(as_owner, stranger):
    theirs = stranger.memberships.get().team
    assert as_owner.post("/team/", {"team": theirs.pk}).status_code == 404


def test_switching_goes_back_only_to_our_own_pages(as_owner, team):
    back = as_owner.post("/team/", {"team": team.pk, "next": "/requests/new/"})
    assert back["Location"] == "/requests/new/"
    evil = as_owner.post("/team/", {"team": team.pk, "next": "//evil.example/"})
    assert evil["Location"] == "/requests/"


def test_a_key_is_of_use_long_after(as_owner):
    form = filled()
    as_owner.post(NEW, form)
    FalRequest.objects.update(created_at=timezone.now() - timedelta(days=30))
    as_owner.post(NEW, form)
    assert FalRequest.objects.count() == 1
