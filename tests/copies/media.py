"""Requests with media, teams that keep copies, and how a test looks at what became of them."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from requests_app.copies import noticing
from requests_app.models import CopyRules, FalRequest, MediaCopy, Status, Team
from tests.builders import fresh, hear, make_queued, make_result

KB = 1000


def switch_on(team: Team, **columns: Any) -> CopyRules:
    """The team keeps everything, within generous limits."""
    columns = {"is_on": True, "quota_bytes": 10**9, "largest_bytes": 10**8} | columns
    rules, _ = CopyRules.objects.update_or_create(team=team, defaults=columns)
    return rules


def make_with_media(team: Team, person: Any, *urls: str, **request: Any) -> FalRequest:
    """A request that has ended with these files, by way of fal."""
    number = FalRequest.objects.count()
    row = make_queued(f"media-{number}", team=team, person=person, **request)
    hear(row, make_result(output={"images": [{"url": url} for url in urls]}))
    return fresh(row)


def make_noticed(team: Team, person: Any, *urls: str, **request: Any) -> FalRequest:
    """The same, with its media waiting to be kept."""
    row = make_with_media(team, person, *urls, **request)
    noticing.look_at_due(timezone.now())
    return row


def make_old(team: Team, person: Any, *urls: str) -> FalRequest:
    """A request from before copies were switched on: nothing has noticed its end."""
    row = make_queued(f"old-{FalRequest.objects.count()}", team=team, person=person)
    body = json.dumps({"images": [{"url": url} for url in urls]}).encode()
    FalRequest.objects.filter(pk=row.pk).update(
        status=Status.COMPLETED, ended_at=timezone.now(), due_at=None, output=body,
        output_type="application/json", output_size=len(body),
    )  # fmt: skip
    return fresh(row)


def states(row: FalRequest) -> list[str]:
    """What became of the request's media, in its order."""
    copies = MediaCopy.objects.filter(request=row).order_by("number")
    return [str(state) for state in copies.values_list("state", flat=True)]
