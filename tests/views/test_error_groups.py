"""Errors grouped in the browser: the list of groups, the page of one, decisions, and whose they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.error_groups import deciding
from requests_app.models import (
    Endpoint,
    EndpointDocument,
    ErrorGroup,
    FalRequest,
    GroupState,
    Membership,
    Role,
)
from requests_app.rules.error_sentence import id_of
from tests.builders import make_person
from tests.error_groups.conftest import count_all, fail, only_group

ERRORS = reverse("requests:errors")


def at(group: ErrorGroup) -> str:
    return reverse("requests:error_group", args=[id_of(group.key)])


def decide(client: Client, group: ErrorGroup, act: str, **more: str):
    path = reverse("requests:decide_error", args=[id_of(group.key)])
    return client.post(path, {"act": act, **more})


@pytest.fixture
def group(team, owner):
    """One open group of two requests."""
    for number in (3, 4):
        fail(team, owner, f"Worker {number} <b>died</b>")
    return only_group()


def test_the_list_shows_each_group_once_with_its_counts_and_trend(as_owner, group):
    page = as_owner.get(ERRORS).text
    assert page.count("Worker &lt;n&gt; &lt;b&gt;died&lt;/b&gt;") == 1
    assert 'aria-label="Last 7 days, by 6 hours: 0, ' in page and ', 2"' in page
    assert 'data-go="f"' in page
    assert at(group) in page and "acme/img" in page and "several endpoints" not in page


def test_a_part_of_the_page_follows_alone(as_owner, group):
    part = as_owner.get(ERRORS, headers={"HX-Request": "true"}).text
    assert 'id="errors-live"' in part and "<html" not in part
    part = as_owner.get(at(group), headers={"HX-Request": "true"}).text
    assert 'id="errors-live"' in part and "<html" not in part and "Resolve" not in part


def test_without_errors_the_page_says_what_it_is_for(as_owner, team):
    assert "Failures that are alike" in as_owner.get(ERRORS).text


def test_filters_and_orders_stand_in_the_address(as_owner, team, owner, teammate):
    fail(team, teammate, "Anna", kind="one")
    for _ in range(2):
        fail(team, owner, "Berta", endpoint_id="acme/vid")
    for person in (owner, teammate):
        fail(team, person, "Clara", kind="three")
    count_all()
    old = timezone.now() - timedelta(days=3)
    ErrorGroup.objects.filter(sentence="Anna").update(last_seen=old)
    ErrorGroup.objects.filter(sentence="Clara").update(state=GroupState.IGNORED)
    for query, names in (
        ("", "Berta Anna"),
        ("state=all", "Clara Berta Anna"),
        ("state=odd&sort=odd&days=x&page=x", "Berta Anna"),
        ("state=ignored", "Clara"),
        ("state=resolved", ""),
        ("state=all&endpoint=acme/vid", "Berta"),
        ("state=all&type=three", "Clara"),
        ("state=all&by=tom", "Clara Anna"),
        ("state=all&by=who", ""),
        ("state=all&days=1", "Clara Berta"),
        ("state=all&sort=people", "Clara Berta Anna"),
        ("page=2", ""),
    ):
        page = as_owner.get(f"{ERRORS}?{query}").text
        found = [name for _, name in sorted((page.find(f">{name}<"), name) for name in ("Anna", "Berta", "Clara") if f">{name}<" in page)]  # fmt: skip
        assert found == names.split(), query
    assert "Clear the filters" in as_owner.get(f"{ERRORS}?by=who").text


@pytest.mark.parametrize(
    "query", ["page=99999", "page=-1", "endpoint=%00", "by=%F0%9F%A6%8A", "type=%22%3E"]
)
def test_odd_filters_are_no_fault(as_owner, group, query):
    assert as_owner.get(f"{ERRORS}?{query}").status_code == 200


def test_a_group_says_what_to_do_and_leads_to_its_requests(as_owner, team, owner):
    rows = [fail(team, owner, "no", kind="request_timeout") for _ in range(2)]
    group = only_group()
    page = as_owner.get(at(group)).text
    assert "The run took too long" in page and "fal stopped it at the app" in page
    for row in rows:
        assert reverse("requests:detail", args=[row.public_id]) in page
    assert f"?q=group%3A{id_of(group.key)}" in page
    found = as_owner.get(reverse("requests:list"), {"q": f"group:{id_of(group.key)}"}).text
    assert all(str(row.public_id) in found for row in rows)


def test_all_of_a_group_are_run_again_by_the_page_that_asks(as_owner, group):
    asked = as_owner.post(
        reverse("requests:ask_bulk"),
        {"verb": "again", "scope": "matching", "q": f"group:{id_of(group.key)}"},
    )
    assert "Run again 2" in asked.text


def test_a_member_resolves_ignores_and_reopens_with_a_note(as_owner, group):
    reply = decide(as_owner, group, "resolve", note="the prompt was <too long>")
    assert reply.status_code == 302 and reply.url == at(group)
    page = as_owner.get(at(group)).text
    assert "the prompt was &lt;too long&gt;" in page and "by olga" in page
    decide(as_owner, group, "ignore")
    decide(as_owner, group, "reopen")
    decide(as_owner, group, "note", note="asked fal")
    kinds = list(group.decisions.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["resolved", "ignored", "reopened", "note"]


def test_what_came_again_says_who_had_resolved_it(as_owner, team, owner, group):
    deciding.resolve(group, person=owner, now=timezone.now())
    fail(team, owner, "Worker 5 <b>died</b>")
    count_all()
    assert "regressed" in as_owner.get(ERRORS).text
    page = as_owner.get(at(group)).text
    assert "It came again" in page and "olga" in page[page.index("It came again") :]


def test_what_cannot_be_decided_is_said_and_what_was_typed_is_kept(as_owner, group):
    long = "x" * 1001
    refused = decide(as_owner, group, "resolve", note=long)
    assert refused.status_code == 422 and long in refused.text and "at most 1,000" in refused.text
    assert "Choose to resolve" in as_owner.get(decide(as_owner, group, "odd").url).text
    assert "Type the note first" in as_owner.get(decide(as_owner, group, "note").url).text
    assert "Nothing was changed" in as_owner.get(decide(as_owner, group, "reopen").url).text
    assert only_group().state == GroupState.OPEN and not group.decisions.exists()


def test_a_viewer_sees_it_and_decides_nothing(as_viewer, group):
    page = as_viewer.get(at(group)).text
    assert "How often" in page and 'value="resolve"' not in page
    assert decide(as_viewer, group, "resolve").status_code == 403
    assert only_group().state == GroupState.OPEN


def test_a_group_of_another_team_does_not_exist(as_stranger, as_owner, group):
    missing = as_owner.get(reverse("requests:error_group", args=["0" * 16]))
    foreign = as_stranger.get(at(group))
    assert missing.status_code == foreign.status_code == 404
    assert decide(as_stranger, group, "resolve").status_code == 404
    assert "Worker" not in as_stranger.get(f"{ERRORS}?state=all").text
    assert as_owner.get(reverse("requests:error_group", args=["odd"])).status_code == 404


def test_a_group_that_is_not_counted_yet_leads_to_its_requests(as_owner, team, owner):
    row = fail(team, owner)
    path = reverse("requests:error_group", args=[id_of(row.error_key)])
    reply = as_owner.get(path)
    assert reply.status_code == 302 and f"group%3A{id_of(row.error_key)}" in reply.url


def test_a_failed_request_says_how_many_are_like_it(as_owner, team, owner, group):
    row = FalRequest.objects.first()
    page = as_owner.get(reverse("requests:detail", args=[row.public_id])).text
    assert "2 of these in 7 days" in page and at(group) in page
    deciding.ignore(group, person=owner, now=timezone.now())
    assert "ignored" in as_owner.get(reverse("requests:detail", args=[row.public_id])).text


def test_a_schema_that_changed_about_then_is_named(as_owner, group):
    document = EndpointDocument.objects.create(digest="d", raw=b"{}", first_seen_at=timezone.now())
    endpoint = Endpoint.objects.create(
        endpoint_id="acme/img",
        checked_at=timezone.now(),
        document=document,
        changed_at=timezone.now(),
    )
    assert (
        "changed" in as_owner.get(at(group)).text
        and "about when this began" in as_owner.get(at(group)).text
    )
    endpoint.changed_at = timezone.now() - timedelta(days=9)
    endpoint.save()
    assert "about when this began" not in as_owner.get(at(group)).text


def test_when_all_of_its_requests_are_gone_the_page_says_so(as_owner, owner, group):
    deciding.resolve(group, person=owner, now=timezone.now())
    FalRequest.objects.update(due_at=None)
    for row in FalRequest.objects.all():
        lifecycle.delete_request(row.pk, person=owner, now=timezone.now())
    count_all()
    page = as_owner.get(at(group)).text
    assert "None is left" in page and "Run all of them again" not in page


def test_a_page_of_many_groups_asks_a_bounded_number_of_queries(
    as_owner, team, owner, django_assert_max_num_queries
):
    for number in range(4):
        fail(team, owner, f"kind {'a' * (number + 1)}")
    count_all()
    with django_assert_max_num_queries(16):
        assert as_owner.get(ERRORS).status_code == 200


def test_links_of_a_user_in_two_teams_stay_in_the_team(team, owner, group):
    other = make_person("ona", team=team)
    second = type(team).objects.create(name="Second")
    Membership.objects.create(team=second, user=other, role=Role.OWNER)
    client = Client()
    client.force_login(other)
    page = client.get(f"{ERRORS}?team={team.pk}").text
    assert f"{at(group)}?team={team.pk}" in page
    assert client.get(f"{at(group)}?team={second.pk}").status_code == 404


def test_the_list_of_failed_requests_leads_to_the_groups(as_owner, group):
    assert (
        ERRORS
        in as_owner.get(reverse("requests:list"), {"q": "status:failed"}).text.split("<main")[1]
    )
