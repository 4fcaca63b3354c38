"""A request's page for those who may not see inputs and outputs: a context of its own, made of the row alone."""

from __future__ import annotations

from typing import Any

from requests_app.display.timeline import steps
from requests_app.forms.submit import new_token
from requests_app.models import HIDDEN, SUBMITTABLE, FalRequest, Observation, Source

TEMPLATE = "request/_hidden.html"
MOST = 300  # observations, the newest


def hidden_page(row: FalRequest, *, may_act: bool, place: str = "") -> dict[str, Any]:
    """Return what TEMPLATE shows. Notes of people stay; what fal said, which may quote an input, does not."""
    return {
        "row": row,
        "place": place,
        "may_act": may_act,
        "may_repeat": row.mode in SUBMITTABLE and row.payload_removed_at is None,
        "steps": steps(row, _observations(row)),
        "token": new_token(),
        "hidden": HIDDEN,
    }


def _observations(row: FalRequest) -> list[Observation]:
    heard = list(row.observations.order_by("-id")[:MOST])[::-1]
    for one in heard:
        if one.source != Source.PERSON:
            one.note = ""
    return heard
