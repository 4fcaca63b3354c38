"""What owners and admins are told of the installation's state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from requests_app.models import Delivery, Heartbeat
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
