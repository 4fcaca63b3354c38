"""What the empty form offers: known endpoints, examples."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings

from requests_app.forms.examples import SANDBOX
from requests_app.models import FalRequest, Team

LOOK_BACK = 1000  # rows: an answer in a millisecond, however long the history is
MOST = 50


def known_endpoints(team: Team) -> list[str]:
    """Return the endpoints the team used lately, newest first; in the sandbox also the sandbox's."""
    newest = FalRequest.objects.filter(team=team).order_by("-id")
    used = newest.values_list("endpoint_id", flat=True)[:LOOK_BACK]
    examples = list(SANDBOX) if settings.SANDBOX else []
    return list(dict.fromkeys([*list(dict.fromkeys(used))[:MOST], *examples]))


class Suggestion(NamedTuple):
    """An endpoint the form offers; with a mode and an input when there is a working example."""

    endpoint: str
    mode: str
    input: str


def suggestions(team: Team) -> list[Suggestion]:
    """Return the known endpoints, in the sandbox with examples for a first visit."""
    examples = SANDBOX if settings.SANDBOX else {}
    return [Suggestion(name, *examples.get(name, ("", ""))) for name in known_endpoints(team)]


def first_values(endpoint: str) -> dict[str, Any]:
    """Return the values of a fresh form for `?endpoint=…`: in the sandbox, an input that works at
    once.
    """
    if settings.SANDBOX and endpoint in SANDBOX:
        mode, text = SANDBOX[endpoint]
        return {"endpoint_id": endpoint, "mode": mode, "input": text}
    return {"endpoint_id": endpoint[:300]}
