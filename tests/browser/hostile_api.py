"""What programs send to each operation of the API that takes texts, with payloads in all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from requests_app.keys import keeping
from requests_app.models import ApiToken, Membership, Role, Team
from tests.browser import hostile
from tests.browser.payloads import PAYLOADS
from tests.catalogue.documents import whole
from tests.isolation.estate import Estate
from tests.source import text_of

CALLS = 16  # of each body: all payloads are among the texts of each that takes wide ones
TOGETHER = -(-len(PAYLOADS) // CALLS)


@dataclass(frozen=True)
class Text:
    """The place of a text in a body, with the most characters that it may have, and how it begins."""

    most: int = 1000
    head: str = ""


WIDE, LONG, NAME, TAG = Text(20_000), Text(), Text(55), Text(40)
ROW = {"prompt": WIDE, "list": [NAME, NAME], "field": {"a": WIDE}}
EVENTS = ["request.failed"]
# Bodies by operation; `{name}` in an address is an id of the estate. One of each must be taken at least once.
BODIES: dict[str, list[Any]] = {
    "POST requests/": [
        {"endpoint_id": "sandbox/echo", "input": ROW, "allow_duplicate": True},
        {"endpoint_id": "{endpoint}", "input": {"a": NAME}, "own_tags": [TAG], "allow_duplicate": True},
        {"endpoint_id": "sandbox/echo", "input": {}, "tags": {"key": NAME}, "runner_hint": NAME, "allow_duplicate": True},
        {"endpoint_id": "sandbox/echo", "input": {}, "headers": {"x-said": NAME}, "allow_duplicate": True},
    ],
    "POST requests/estimate/": [{"endpoint_id": "{endpoint}", "input": ROW}],
    "POST requests/{id}/notes/": [{"text": LONG}],
    "POST requests/{id}/tags/": [{"add": [TAG]}],
    "POST endpoints/{endpoint_id}/validate/": [{"input": ROW}],
    "PUT endpoints/{endpoint_id}/document/": [{"document": WIDE}],
    "POST presets/": [{"name": NAME, "endpoint_id": "{endpoint}", "input": ROW}],
    "POST presets/{id}/rename/": [{"name": Text(55, "another ")}],  # than those of the new presets
    "POST batches/": [
        {"name": NAME, "endpoint_id": "{endpoint}", "input": {"a": "{{b}}", "c": WIDE}, "rows": [{"b": WIDE}], "start": False},
        {"name": NAME, "endpoint_id": "{endpoint}", "input": {"a": "{{b}}"}, "jsonl": WIDE, "start": False},
    ],
    "POST bulk/": [
        {"verb": "tag", "ids": ["{row}"], "dry_run": False, "tags": [TAG], "reason": Text(290)},
        {"verb": "cancel", "q": Text(190), "dry_run": True},
    ],
    "POST errors/{id}/resolve/": [{"note": LONG}],
    "POST errors/{id}/ignore/": [{"note": LONG}],
    "POST errors/{id}/reopen/": [{"note": LONG}],
    "POST notices/channels/": [
        {"kind": "email", "name": NAME, "address": "ops@example.org"},
        {"kind": "email", "name": NAME, "address": LONG},
    ],
    "POST notices/channels/{id}/replace/": [{"address": "ops@example.org"}, {"address": LONG}],
    "POST notices/rules/": [{"event": "failed", "channel": "{channel}", "pattern": NAME, "error_type": NAME}],
    "POST notices/rules/{id}/change/": [{"event": "failed", "channel": "{channel}", "pattern": NAME, "error_type": NAME}],
    "POST forwarding/destinations/": [
        {"name": NAME, "address": "https://crm.example/", "events": EVENTS},
        {"name": NAME, "address": LONG, "pattern": NAME, "events": [NAME]},
    ],
    "POST forwarding/destinations/{id}/change/": [
        {"name": NAME, "events": EVENTS}, {"name": NAME, "pattern": NAME, "events": EVENTS},
    ],
    "POST exports/": [{"q": Text(190), "format": "jsonl"}],
    "POST uploads/": [{"name": LONG, "content_type": NAME, "size": 1}],
}  # fmt: skip
NO_TEXTS = {
    "POST requests/import/": "takes a file: test_hostile_run_file.py",
    "POST presets/{id}/restore/": "takes a number",
}


def fill() -> str:
    """Make a team with one of everything; return as JSON who owns it, its ids, a token, and its pages."""
    estate = Estate("navy", 7)
    other = Team.objects.create(name="Other")  # so that the log-in asks for one
    Membership.objects.create(team=other, user=estate.owner, role=Role.OWNER)
    keeping.remove(estate.team, estate.key.pk, now=estate.now)  # the sandbox knows its own alone
    known = {
        "endpoint": estate.endpoint_id, "row": str(estate.row.public_id), "channel": estate.channel.pk,
        "requests": estate.row.public_id, "presets": estate.preset.public_id, "errors": estate.part("", "group_id"),
        "notices/channels": estate.channel.pk, "notices/rules": estate.rule.pk,
        "forwarding/destinations": estate.destination.pk,
    }  # fmt: skip
    return json.dumps({
        "user": estate.owner.username, "team": estate.team.pk, "rows": [], "routes": hostile.routes(estate),
        "token": ApiToken.issue(estate.owner, estate.team), "known": known,
    }, default=str)  # fmt: skip


def operations() -> set[str]:
    """Every operation that reads a body, as the API's description names it."""
    described = json.loads(text_of("docs/openapi.json"))["paths"]
    return {
        f"{method.upper()} {path.removeprefix('/api/v1/')}"
        for path, methods in described.items()
        for method, told in methods.items()
        if "requestBody" in told
    }


def filled(body: Any, number: int, known: dict[str, Any]) -> Any:
    """The body of one call: long texts have all payloads of the call, short ones each another of them."""
    share = PAYLOADS[number * TOGETHER : (number + 1) * TOGETHER] or PAYLOADS[:TOGETHER]
    turn = count(number)

    def fill_in(value: Any) -> Any:
        if isinstance(value, Text):
            text = " ".join(share) if value.most > 500 else share[next(turn) % len(share)]
            return f"{value.head}{text}"[: value.most]
        if (
            isinstance(value, str)
            and value.startswith("{")
            and value.endswith("}")
            and value[1:-1] in known
        ):
            return known[value[1:-1]]
        if isinstance(value, dict):
            return {key: fill_in(one) for key, one in value.items()}
        return [fill_in(one) for one in value] if isinstance(value, list) else value

    return _document(share) if set(body) == {"document"} else fill_in(body)


def _document(share: tuple[str, ...]) -> dict[str, Any]:
    fields = {
        one or "empty": {"type": "string", "title": one, "description": one, "default": one}
        for one in share
    }
    made = whole(
        {"In": {"type": "object", "properties": fields, "title": share[0]}}, "navy/navymodel"
    )
    made["info"]["title"] = share[0]
    return made


def calls(known: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Operation, method, address and body of each call."""
    for operation, bodies in BODIES.items():
        method, _, path = operation.partition(" ")
        place = path.replace("{endpoint_id}", known["endpoint"]).replace(
            "{id}", str(known.get(path.partition("/{")[0], ""))
        )
        for body in bodies:
            for number in range(CALLS):
                yield operation, method, f"/api/v1/{place}", filled(body, number, known)
