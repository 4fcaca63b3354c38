"""The pages of a team's deliveries, and their verdicts in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from requests_app.models import Delivery, FalRequest, Team
from requests_app.webhooks import shelf
from requests_app.webhooks.deliveries import Verdict, receive
from tests.builders import SECRET, make_awaiting, make_post, make_request
from tests.signing import body_of

pytestmark = pytest.mark.django_db


def keep(row: FalRequest, verdict: str = "accepted", **columns: Any) -> Delivery:
    given = {"team": row.team, "body": b"{}", "body_size": 2, "digest": "d"} | columns
    return Delivery.objects.create(
        request=row, received_at=timezone.now(), verdict=verdict, **given
    )


def walked(team: Team, verdict: str = "") -> list[int]:
    """The keys of all pages."""
    found: list[int] = []
    before = None
    while True:
        rows, before = shelf.page(team.pk, verdict=verdict, before=before)
        found += [one.delivery.pk for one in rows]
        if before is None:
            return found


def test_every_verdict_has_words_and_a_sentence() -> None:
    assert set(shelf.WORDS) == set(Verdict)
    assert all(words and sentence.endswith(".") for words, sentence in shelf.WORDS.values())
    assert shelf.words_of("odd_one") == ("odd one", "")


def test_pages_are_newest_first_without_gaps_and_of_one_team(
    row, owner, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(shelf, "PAGE_SIZE", 3)
    other = make_request(team=Team.objects.create(name="Other"), person=owner)
    kept = []
    for number in range(8):
        verdict = "no_keys" if number % 4 == 0 else "accepted"
        # An older process, which an upgrade has left running, stores no team.
        kept.append(keep(row, verdict, **({"team": None} if number % 3 == 0 else {})).pk)
        keep(other, team=None if number % 2 else other.team)
    assert walked(row.team) == kept[::-1]
    assert walked(row.team, "no_keys") == [kept[4], kept[0]]
    assert len(walked(other.team)) == 8
    for most in (1, 3):
        monkeypatch.setattr(shelf, "PAGE_SIZE", most)
        with django_assert_num_queries(2):
            rows, _ = shelf.page(row.team_id)
            assert [one.delivery.request.endpoint_id for one in rows] == [row.endpoint_id] * most


def test_what_is_received_is_named_by_its_team(key_host, signer):
    row = make_awaiting()
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    assert Delivery.objects.get().team_id == row.team_id


def test_a_body_that_is_gone_offers_nothing(row):
    FalRequest.objects.filter(pk=row.pk).update(webhook_digest="d")
    keep(row, "no_keys", body=b"")
    keep(row, "no_keys")
    [whole, gone] = shelf.page(row.team_id)[0]
    assert (gone.has_body, "not kept whole" in gone.why_not) == (False, True)
    assert (whole.has_body, whole.why_not) == (True, "")
