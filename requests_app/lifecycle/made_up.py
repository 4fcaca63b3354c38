"""Rows that never happened, many at once: for measurements. Nothing is announced, and no worker finds them."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from requests_app.display.summary import of_output
from requests_app.models import ErrorType, FalRequest, Mode, Status, Team
from requests_app.overview.marks import mark_older
from requests_app.search.index import facts_of, write_facts

AT_ONCE = 2000  # rows of one transaction
SPREAD = timedelta(days=365)  # over which they are created, the last one now

_PLACES = [
    "lighthouse", "harbour", "forest", "desert", "market", "library", "canyon", "meadow",
    "bridge", "temple", "island", "street",
]  # fmt: skip
_THINGS = [
    "fox", "heron", "violin", "lantern", "bicycle", "teapot", "robot", "whale", "dancer",
    "orchard", "clock", "kite", "glacier", "owl",
]  # fmt: skip
_MOODS = [
    "at dusk", "in the rain", "under snow", "by candlelight", "in fog", "at noon",
    "after the storm",
]  # fmt: skip
_STYLES = [
    "watercolour", "charcoal", "film grain", "isometric", "low poly", "oil", "linocut", "neon",
]  # fmt: skip
_ENDPOINTS = [
    "fal-ai/flux/schnell", "fal-ai/flux/dev", "fal-ai/flux-pro", "fal-ai/whisper", "fal-ai/any-llm",
    "acme/upscale", "acme/video/fast", "acme/video/slow", "zoo/depth", "zoo/segment",
]  # fmt: skip
_ERRORS = ["field required: prompt", "content policy violation", "the runner ran out of memory"]
_BILLED = {"billable_units": "1", "cost": Decimal("0.025"), "cost_currency": "USD"}
_MODES = [Mode.QUEUE] * 17 + [Mode.RUN] * 2 + [Mode.STREAM]
_STATUSES = [Status.COMPLETED] * 44 + [Status.FAILED] * 4 + [Status.CANCELLED] * 2


def make_up(
    count: int, *, team: Team, people: Sequence[AbstractBaseUser], now: datetime
) -> Iterator[int]:
    """Store `count` ended rows, the last the newest; yield how many there are after each step."""
    chance = random.Random(count)  # noqa: S311 (the same rows each time)
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        rows = [
            _row(chance, number, now - SPREAD * ((count - number) / count), team, people)
            for number in numbers
        ]
        with transaction.atomic():
            FalRequest.objects.bulk_create(rows)
            write_facts((row.pk, facts_of(row, _texts(row), ())) for row in rows)
            mark_older(((team.pk, row.created_at) for row in rows), now)
        yield numbers[-1] + 1


def _texts(row: FalRequest) -> dict[str, Any]:
    return {"input_start": row.input_text, "output_start": row.output}


def _row(
    chance: random.Random,
    number: int,
    created_at: datetime,
    team: Team,
    people: Sequence[AbstractBaseUser],
) -> FalRequest:
    pick = chance.choice
    prompt = f"a {pick(_THINGS)} and a {pick(_THINGS)} in the {pick(_PLACES)} {pick(_MOODS)}, {pick(_STYLES)}"
    prompt = f"{prompt}, take {number}"
    value = {"prompt": prompt, "seed": chance.randrange(2**31), "steps": 28}
    status = pick(_STATUSES)
    took = timedelta(seconds=chance.lognormvariate(1.5, 1))
    is_done = status == Status.COMPLETED
    picture = {"url": f"https://v3.fal.media/files/{number % 997}/{number:x}.png", "width": 1024}
    output = json.dumps({"images": [picture], "seed": value["seed"]}).encode() if is_done else None
    media = of_output({"output": output})
    media.pop("thumbnail_url", None)  # there is no such picture: none would be made
    return FalRequest(
        **media,
        public_id=uuid.UUID(int=chance.getrandbits(128), version=4),
        team=team,
        person_id=pick(people).pk,
        endpoint_id=_ENDPOINTS[min(int(chance.expovariate(0.4)), len(_ENDPOINTS) - 1)],
        mode=pick(_MODES),
        status=status,
        input_text=json.dumps(value),
        summary=prompt,
        output=output,
        output_type="application/json" if output else "",
        output_size=len(output or b""),
        error=pick(_ERRORS) if status == Status.FAILED else "",
        error_type=ErrorType.REFUSED if status == Status.FAILED else "",
        fal_request_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        **dict.fromkeys(("created_at", "sent_at", "accepted_at"), created_at),
        started_at=created_at + took * 0.3,
        ended_at=created_at + took,
        **(_BILLED if is_done else {}),
    )
