"""The report by tag: counts, run time and cost over some days, of the team alone, with a bound."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status
from requests_app.views import tag_report
from tests.builders import make_request

URL = reverse("requests:tag_report")


def ran(
    team, person, *tags, seconds=10, cost="0.1", age=timedelta(), status=Status.COMPLETED, **draft
):
    row = make_request(team=team, person=person, **draft)
    lifecycle.add_tags(row.pk, tags, person=person, now=timezone.now())
    end = timezone.now() - age
    FalRequest.objects.filter(pk=row.pk).update(
        status=status, created_at=end, started_at=end - timedelta(seconds=seconds), ended_at=end,
        cost=cost, cost_currency="USD", due_at=None,
    )  # fmt: skip


def test_each_tag_has_its_count_time_and_cost(as_owner, team, owner, stranger):
    ran(team, owner, "draft", age=timedelta(days=8))
    ran(team, owner, "draft", "hero")
    ran(team, owner, "draft", seconds=50, status=Status.FAILED)
    ran(team, owner, "draft", cost=None, tags="client=acme")
    ran(stranger.memberships.get().team, stranger, "foreign")
    uses, is_cut = tag_report.report(team, since=timezone.now() - timedelta(days=7))
    assert [
        (use.tag.name, use.count, use.failed, use.ran.seconds, use.cost_words, use.unpriced)
        for use in uses
    ] == [
        ("draft", 3, 1, 70, "$0.2", 1),
        ("client=acme", 1, 0, 10, "", 1),
        ("hero", 1, 0, 10, "$0.1", 0),
    ]
    assert not is_cut
    page = as_owner.get(f"{URL}?days=7").text
    assert "foreign" not in page and "$0.2" in page and "q=tag%3Adraft" in page
    assert "4<span" in as_owner.get(URL).text  # of thirty days


def test_the_newest_are_counted_up_to_a_bound(as_owner, as_viewer, team, owner, monkeypatch):
    assert "No tagged request" in as_owner.get(URL).text
    monkeypatch.setattr(tag_report, "MOST", 2)
    for _ in range(3):
        ran(team, owner, "draft")
    for days in ("x", "", "9999999999999", "30"):
        page = as_viewer.get(f"{URL}?days={days}")
        assert page.status_code == 200 and "There is more" in page.text and "2<span" in page.text
