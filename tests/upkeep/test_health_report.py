"""What owners and admins are told of the installation's state."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from requests_app.models import Delivery, Heartbeat, SenderRanges
from requests_app.upkeep import health_report
from requests_app.upkeep.health_report import HealthLine
from requests_app.webhooks.deliveries import Verdict
from tests.builders import make_queued

NOW = timezone.now()


def lines(team: Any) -> dict[str, HealthLine]:
    return {line.name: line for line in health_report.report(team, timezone.now())}


def test_each_part_is_told_with_the_teams_own_requests_alone(team, owner, stranger, settings):
    make_queued(team=team, person=owner)
    told = lines(team)
    assert "1 open at fal" in told["Requests of the team"].words
    other = stranger.memberships.get().team
    assert "0 open at fal" in lines(other)["Requests of the team"].words
    settings.FAL_KEY, settings.SANDBOX = "", False
    assert not lines(team)["fal key"].is_fine
    assert "No worker" in told["Worker"].words and not told["Worker"].is_fine


def test_the_last_webhook_is_the_teams_own(team, owner, stranger, settings):
    settings.PUBLIC_URL = "https://faldeck.example"
    row = make_queued(team=team, person=owner)
    Delivery.objects.create(
        request=row,
        team=team,
        received_at=NOW,
        verdict=Verdict.ACCEPTED,
        body=b"{}",
        body_size=2,
        digest="d",
    )
    assert lines(team)["Webhooks"].at == NOW
    assert lines(stranger.memberships.get().team)["Webhooks"].at is None


def test_a_backup_is_fine_for_a_week(team):
    assert not lines(team)["Last backup"].is_fine
    health_report.note_backup(NOW)
    assert lines(team)["Last backup"].is_fine
    Heartbeat.objects.filter(part="backup").update(at=NOW - timedelta(days=8))
    assert not lines(team)["Last backup"].is_fine


def addresses(team: Any) -> HealthLine:
    return lines(team)["Addresses of webhooks"]


@pytest.mark.parametrize(
    ("check", "row", "own", "words", "is_fine"),
    [
        ("OFF", None, 0, "Not checked: the signature of each decides.", True),
        ("FAL", None, 0, "never read, so webhooks are refused, and fal is polled. 0 of", False),
        ("FAL-OR-WARN", None, 0, "never read, so webhooks are taken from every address. 0 of", False),
        ("FAL", {"problem": "No."}, 1, "refused, and fal is polled. No. WEBHOOK_EXTRA_ADDRESSES has 1", False),
        ("FAL", {"read_at": NOW}, 0, "Checked against 2 ranges of fal's. 0 of", True),
        ("FAL-OR-WARN", {"read_at": NOW}, 2, "fal's. WEBHOOK_EXTRA_ADDRESSES has 2 more. 0 of", True),
        ("FAL", {"read_at": NOW, "problem": "Odd."}, 0, "2 ranges of fal's. Odd. 0 of", False),
        ("FAL", {"read_at": NOW - timedelta(hours=25)}, 0, "Checked against 2 ranges", False),
    ],
)  # fmt: skip
def test_it_says_from_which_addresses_webhooks_are_taken(
    team, settings, check, row, own, words, is_fine
):
    settings.PUBLIC_URL = "https://faldeck.example"
    settings.WEBHOOK_ADDRESS_CHECK = check
    settings.WEBHOOK_EXTRA_ADDRESSES = [ip_network("10.0.0.1")] * own
    if row is not None:
        ranges = ["192.0.2.0/24", "2001:db8::/48"] if "read_at" in row else []
        SenderRanges.objects.create(source=settings.FAL_API_URL, ranges=ranges, tried_at=NOW, **row)
    told = addresses(team)
    assert words in told.words
    assert (told.is_fine, told.at) == (is_fine, (row or {}).get("read_at"))


def test_it_counts_the_teams_own_refused_webhooks(team, owner, stranger, settings):
    settings.PUBLIC_URL, settings.WEBHOOK_ADDRESS_CHECK = "https://faldeck.example", "FAL"
    row = make_queued(team=team, person=owner)
    for verdict in (Verdict.FOREIGN_ADDRESS, Verdict.FOREIGN_ADDRESS, Verdict.ACCEPTED):
        Delivery.objects.create(
            request=row, team=team, received_at=NOW, verdict=verdict, body_size=0, digest="d"
        )
    assert "2 of the team's were refused." in addresses(team).words
    assert "0 of the team's were refused." in addresses(stranger.memberships.get().team).words
