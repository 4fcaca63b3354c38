"""Every operation of the API by method by caller: by one table of what each needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest

from requests_app.api.api import api
from requests_app.models import TokenScope
from tests.api.test_unknown import body_of
from tests.isolation.estate import MISSING_MODEL, MISSING_PAYLOAD, Estate, missing
from tests.isolation.people import Caller, programs
from tests.isolation.probing import (
    difference,
    ensure_same_cost,
    ensure_silent,
    is_chosen,
    noted_writes,
    seen_of,
    shares,
)
from tests.isolation.rights import API, API_OF_OBJECTS, API_PAYLOADS, OF_ADMINS, Needs

BASE = "/api/v1/"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
KNOWN = {"If-None-Match": "*", "Range": "bytes=0-0"}
PATHS = sorted({name.partition(":")[2] for name in API})
QUERIES = {
    "requests/": "?q={word} ?q={payload} ?q=input.prompt:{payload}", "export/": "?q={word}&format=jsonl ?format=csv ?format=jsonl", "errors/": "?q={word}",
    "overview/": "?endpoint_id={endpoint}", "presets/": "?endpoint_id={endpoint}",
    "endpoints/": "?q={word}", "batches/": "", "bulk/": "", "exports/": "",
}  # fmt: skip
SCOPES = {
    Needs.TEAM: TokenScope.READ,
    Needs.SUBMIT: TokenScope.SUBMIT,
    Needs.MANAGE: TokenScope.MANAGE,
}


class Call(NamedTuple):
    """One probe."""

    caller: Caller
    path: str
    method: str
    headers: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.caller.name}: {self.method} {self.path} {sorted(self.headers)}"

    @property
    def needs(self) -> Needs | None:
        return API.get(f"{self.method}:{self.path}")

    def ask(self, of: Estate | None) -> Any:
        path = BASE + self.path
        for part, value in values(self.path, of, sees=self.caller.sees).items():
            path = path.replace(part, str(value))
        body = body_of(self.method.lower(), BASE + self.path) or ""
        return self.caller.ask(
            self.method, path, body, headers=self.headers, content_type="application/json"
        )


NUMBERED = ("notices", "forwarding", "deliveries")  # rooms whose ids are numbers


def values(path: str, of: Estate | None, *, sees: bool = True) -> dict[str, Any]:
    """What the parts of the path stand for."""
    room = path.partition("/")[0]
    if of is None:
        found = missing({"errors": "group_id", **dict.fromkeys(NUMBERED, "pk")}.get(room, "id"))
    else:
        row = of.live if path.endswith("cancel/") else of.row
        objects = {"batches": of.batch, "bulk": of.bulk, "exports": of.export, "presets": of.preset}
        numbers = {
            "errors": of.part("", "group_id", sees=sees),
            "deliveries": of.delivery.pk,
            "forwarding": of.forward.pk if "messages/{id}" in path else of.destination.pk,
            "notices": of.rule.pk if "rules/" in path else of.channel.pk,
        }
        found = numbers.get(room) or objects.get(room, row).public_id
    endpoint = of.endpoint_id if of else missing("endpoint_id")
    return {"{id}": found, "{endpoint_id}": endpoint, "{number}": 1}


def calls(callers: list[Caller]) -> Iterator[Call]:
    for caller, path, method in product(callers, PATHS, METHODS):
        yield Call(caller, path, method, {})
        if method == "GET":
            yield Call(caller, path, method, KNOWN)


def expected(call: Call, home: Estate) -> tuple[int, ...] | None:
    """The statuses of a refusal; None where the call is let in."""
    if call.needs is None:
        return (401, 403, 404, 405)
    if call.caller.scope is None:
        return (401,)
    if not call.caller.scope.covers(SCOPES[call.needs]):
        return (403,)
    if not call.caller.sees and f"{call.method}:{call.path}" in API_PAYLOADS | API_OF_OBJECTS:
        return (403,)
    if f"{call.method}:{call.path}" in OF_ADMINS and not _manages(call):
        return (403, 422)  # the body is read before
    if call.caller.team != home.team and "{id}" in call.path:
        return (404,)
    return None


def _manages(call: Call) -> bool:
    """A service token to manage was made by an admin or the owner, and decides on notices as they do."""
    is_service = call.caller.name.startswith("service")
    return call.caller.manages or (is_service and call.path.startswith(("notices/", "forwarding/")))


def judge(call: Call, home: Estate, before: dict[str, Any]) -> None:
    """Make the call and fail if it lets in, tells or writes what it must not."""
    refusal = expected(call, home)
    with noted_writes() as writes:
        reply = call.ask(home)
        if refusal is not None:
            assert reply.status_code in refusal, f"{call.name}: {reply.status_code}, not {refusal}"
            assert not writes, f"{call.name} was refused and wrote {writes}"
        elif call.caller.team == home.team:
            status = reply.status_code
            assert status < 400 or status in (400, 409, 410, 422, 429, 503), (
                f"{call.name}: {status}, not let in"
            )
            if not call.caller.sees:
                ensure_silent(seen_of(reply), home.payloads, call.name)
            reply.close()
            return
        own = [*map(str, values(call.path, home).values()), home.model]
        seen = seen_of(reply, *own)
        ensure_silent(seen, [word for word in home.canaries if word not in own], call.name)
        if writes:
            assert home.state() == before, f"{call.name} has changed the other team"
    if "{" in call.path and not _is_told_anyway(call, home):
        with noted_writes() as others:
            absent = seen_of(call.ask(None), *values(call.path, None).values(), MISSING_MODEL)
        assert not (fault := difference(seen, absent)), (
            f"{call.name} differs from what is missing: {fault}"
        )
        ensure_same_cost(call.name, call.ask, home, (writes, others))


def _is_told_anyway(call: Call, home: Estate) -> bool:
    """Whether the team's list tells its members that the object is there, whose content they may not see."""
    return call.caller.team == home.team and f"{call.method}:{call.path}" in API_OF_OBJECTS


def told_of_payload(
    caller: Caller, path: str, query: str, reply: Any, named: dict[str, str]
) -> str:
    """Say what an answer tells of inputs: any, or whether there is one that was searched for."""
    seen = seen_of(reply, named["payload"] if "{payload}" in query else "")
    if "zqpayload" in f"{seen[1]}{seen[2]}":
        return "tells a payload"
    if "{payload}" not in query:
        return ""
    other = BASE + path + query.format(**named | {"payload": MISSING_PAYLOAD})
    return difference(seen, seen_of(caller.ask("GET", other), MISSING_PAYLOAD))


def test_every_operation_stands_in_the_table() -> None:
    paths = api.get_openapi_schema()["paths"]
    known = {
        f"{method.upper()}:{path.removeprefix(BASE)}" for path in paths for method in paths[path]
    }
    assert set(API) == known, "tests/isolation/rights.py says what each operation needs"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", shares(4), ids=str)
def test_the_api_keeps_a_team_to_itself(
    share: tuple[int, int], home: Estate, rival: Estate
) -> None:
    before, count, faults = home.state(), 0, []
    callers = programs(home, rival)
    before = home.state()
    for call in calls(callers):
        if not is_chosen(call.name, share):
            continue
        count += 1
        try:
            judge(call, home, before)
        except AssertionError as fault:
            faults.append(str(fault)[:600])
    asked_for = [(path, one) for path in QUERIES for one in QUERIES[path].split() or [""]]
    for caller, (path, query) in product(callers if share[0] == 0 else [], asked_for):
        count += 1
        with noted_writes():
            values_of = {"word": home.word, "endpoint": home.endpoint_id, "payload": home.payload}
            asked = query.format(**values_of)
            reply = caller.ask("GET", BASE + path + asked)
            if caller.team != home.team or caller.scope is None:
                try:
                    ensure_silent(
                        seen_of(reply, home.endpoint_id, home.model),
                        home.canaries,
                        f"{caller.name}: {path}",
                    )
                except AssertionError as fault:
                    faults.append(str(fault)[:600])
            elif not caller.sees and (
                fault := told_of_payload(caller, path, query, reply, values_of)
            ):
                faults.append(f"{caller.name}: {path}{query} {fault}")
            reply.close()
    assert home.state() == before
    print(f"{count} probes of the API")
    assert not faults, f"{len(faults)} of {count} probes:\n" + json.dumps(faults[:40], indent=1)
