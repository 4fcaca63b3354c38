"""Every route of the site by method by caller: who gets in, who is told nothing, and what is written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from requests_app.models import Team
from tests.isolation.estate import MISSING_PAYLOAD, MISSING_WORD, Estate, missing
from tests.isolation.pages import ROUTES, SECRETS, address, is_of_object, parts_of, queries, typed
from tests.isolation.people import Caller, held_back, people
from tests.isolation.probing import (
    difference,
    ensure_same_cost,
    ensure_silent,
    is_chosen,
    noted_writes,
    seen_of,
    sent_by,
    shares,
)
from tests.isolation.rights import (
    CLOSED_WRITES,
    HELD_BACK_TOO,
    OF_OBJECTS,
    OF_PAYLOADS,
    PAYLOADS,
    QUERIES,
    READS,
    WRITES,
    Needs,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HTMX = {"HX-Request": "true"}
KNOWN = {
    "If-None-Match": "*",
    "If-Modified-Since": "Sat, 01 Jan 2050 00:00:00 GMT",
    "Range": "bytes=0-0",
}
VARIANTS: tuple[tuple[str, dict[str, str]], ...] = (
    *((method, {}) for method in METHODS), ("GET", HTMX), ("POST", HTMX), ("GET", KNOWN),
)  # fmt: skip
CLOSED = (302, 401, 403, 404, 405, 409)  # a method that the route does not take
# Classes of Django's and allauth's, which answer OPTIONS, and HEAD as they like.
OPEN = frozenset(name for name in READS if READS[name] is Needs.NOTHING) | {
    "account_change_password", "account_email", "account_reauthenticate",
}  # fmt: skip
FAILS = {"readyz": 503}  # nothing of an installation is running


class Probe(NamedTuple):
    """One call. `more`: what stands behind the address."""

    caller: Caller
    route: str
    method: str
    headers: dict[str, str]
    number: int = -1  # of the query

    @property
    def name(self) -> str:
        return (
            f"{self.caller.name}: {self.method} {self.route} {sorted(self.headers)} {self.number}"
        )

    @property
    def needs(self) -> Needs | None:
        table = WRITES if self.method == "POST" else READS
        return table.get(self.route) if self.method in ("GET", "HEAD", "POST") else None

    def ask(self, of: Estate | None, home: Estate) -> Any:
        path = address(self.route, of, sees=self.caller.sees)
        if self.number >= 0:
            path += queries(self.route, of, home)[self.number]
        elif self.route == "frame_media":
            path += "?at=/b"
        data = typed(self.route, of or home, self.caller) if self.method == "POST" else None
        if self.method == "POST" and of is None and "id" in (data or {}):
            data |= {"id": "00000000-0000-4000-8000-00000000dead"}  # type: ignore[operator]
        return self.caller.ask(self.method, path, data, headers=self.headers)


def probes(callers: list[Caller], home: Estate) -> Iterator[Probe]:
    """All of them, or this run's tenth."""
    for caller, route, (method, headers) in product(callers, ROUTES, VARIANTS):
        yield Probe(caller, route, method, headers)
    for caller, route in product(callers, ROUTES):
        for number, _ in enumerate(queries(route, home, home)):
            yield Probe(caller, route, "GET", {}, number)


def names_payload(probe: Probe) -> bool:
    """Whether the query searches for words of an input."""
    return probe.number >= 0 and "{payload}" in QUERIES[probe.route].split()[probe.number]


def own_words(probe: Probe, of: Estate | None, home: Estate) -> list[object]:
    """What the call itself has named, which its answer may repeat."""
    parts = [one for one in parts_of(probe.route) if one not in ("number", "size")]
    said: list[object] = [
        (of.part(probe.route, one) if of else missing(one)) for one in parts if one not in SECRETS
    ]
    named = ("public_id", "preset_id", "view_id", "group_id", "endpoint_id")
    if probe.number >= 0:
        said += [of.part("", one) if of else missing(one) for one in named]
        said += [of.live.public_id if of else missing("live"), of.word if of else MISSING_WORD]
        if names_payload(probe):
            said.append(of.payload if of else MISSING_PAYLOAD)
        keys = [of.team.pk, of.token.pk] if of else [missing("pk")]
        said += [
            f"{name}{sign}{key}"
            for name in ("team", "key")
            for sign in ("=", "%3D")
            for key in keys
        ]
    if "id" in typed(probe.route, home, probe.caller):
        said += [of.row.public_id, of.live.public_id] if of else [missing("id")]
    for whole in [one for one in said if "/" in str(one)]:  # an endpoint's id, as addresses have it
        said += [quote(str(whole), safe=""), str(whole).partition("/")[2]]
    return sorted(map(str, said), key=len, reverse=True)


def expected(probe: Probe) -> tuple[int, ...] | None:
    """The statuses of a refusal; None where the call is let in."""
    caller, needs = probe.caller, probe.needs
    if needs is None:
        return None if probe.route in OPEN else CLOSED
    if needs is Needs.NOTHING:
        return None
    if caller.reach is Needs.NOTHING:
        # Classes of allauth send scripts away, too.
        is_of_classes = probe.route.startswith("account_")
        return (302, 401) if is_of_classes else (401,) if probe.headers is HTMX else (302,)
    if not caller.sees and consists_of_payloads(probe):
        return (403,)
    if needs is Needs.LOG_IN or caller.reach >= needs:
        return None
    if caller.reach is Needs.LOG_IN:
        return _of_an_outsider(probe)
    return (403, 404)


def consists_of_payloads(probe: Probe) -> bool:
    """Whether the call is closed to a member who may not see inputs and outputs."""
    if probe.method == "POST" and probe.route in CLOSED_WRITES:
        return True
    return probe.route in PAYLOADS | OF_OBJECTS or asks_for_payload(probe)


def asks_for_payload(probe: Probe) -> bool:
    """Whether the query of an open route asks for what consists of an input."""
    if probe.number < 0:
        return False
    asked = QUERIES[probe.route].split()[probe.number]
    return asked.startswith(OF_PAYLOADS.get(probe.route, ("none",)))


def _of_an_outsider(probe: Probe) -> tuple[int, ...] | None:
    if probe.caller.team is None:
        return (404,) if "public_id" in parts_of(probe.route) else (403, 404, 409)
    return (404,) if is_of_object(probe.route) and probe.route != "endpoint" else None


def judge(probe: Probe, home: Estate, before: dict[str, Any]) -> None:
    """Make the call and fail if it lets in, tells or writes what it must not."""
    refusal, is_outside = expected(probe), probe.caller.team != home.team
    with noted_writes() as writes:
        reply = probe.ask(home, home)
        status = sent_by(reply)
        if refusal is not None:
            assert status in refusal, f"{probe.name}: {status} instead of {refusal}"
            assert not writes, f"{probe.name} was refused and wrote {writes}"
        elif not is_outside and probe.needs is not None and probe.needs > Needs.LOG_IN:
            assert status < 400 or status in (400, 409, 410, 422), (
                f"{probe.name}: {status}, not let in"
            )
        if not is_outside:
            assert status < 500 or FAILS.get(probe.route) == status, f"{probe.name}: {status}"
            if not probe.caller.sees:
                judge_redacted(probe, reply, home)
            reply.close()
            return
        own = own_words(probe, home, home)
        seen = seen_of(reply, *own)
        if probe.route not in FAILS:
            words = [one for one in home.canaries if one not in own]
            ensure_silent(seen, words, probe.name)
        if writes:
            assert home.state() == before, f"{probe.name} has changed the other team"
    if is_of_object(probe.route) or probe.number >= 0:
        with noted_writes() as others:
            absent = seen_of(probe.ask(None, home), *own_words(probe, None, home))
        fault = difference(seen, absent)
        assert not fault, f"{probe.name} differs from what is missing: {fault}"
        ensure_same_cost(probe.name, lambda of: probe.ask(of, home), home, (writes, others))


def judge_redacted(probe: Probe, reply: Any, home: Estate) -> None:
    """Fail if the answer to a member who may not see inputs and outputs tells any, or what is in them."""
    if not names_payload(probe):
        ensure_silent(seen_of(reply), home.payloads, probe.name)
        return
    seen = seen_of(reply, home.payload)
    ensure_silent(seen, home.payloads, probe.name)
    absent = seen_of(probe.ask(None, home), MISSING_PAYLOAD)
    fault = difference(seen, absent)
    assert not fault, f"{probe.name} differs from a search for what no input has: {fault}"


def test_every_route_stands_in_the_table() -> None:
    missing_ones = set(ROUTES) ^ (set(READS) | set(WRITES))
    assert not missing_ones, (
        f"tests/isolation/rights.py says who may call these, or no longer: {missing_ones}"
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", shares(8), ids=str)
@pytest.mark.parametrize("side", ["outside", "inside"])
def test_pages_keep_a_team_to_itself(
    side: str, share: tuple[int, int], home: Estate, rival: Estate
) -> None:
    callers = people(home, rival)
    chosen = [one for one in callers if (one.team == home.team) == (side == "inside")]
    before, count, faults = home.state(), 0, []
    for probe in probes(chosen, home):
        if not is_chosen(probe.name, share):
            continue
        count += 1
        try:
            judge(probe, home, before)
        except AssertionError as fault:
            faults.append(str(fault)[:600])
    assert home.state() == before
    assert Team.objects.filter(pk=home.team.pk).exists()
    print(f"{count} probes of pages from {side}")
    assert not faults, f"{len(faults)} of {count} probes:\n" + "\n".join(faults[:40])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", shares(3), ids=str)
def test_a_member_without_the_second_factor_gets_nothing_of_the_team(
    share: tuple[int, int], home: Estate
) -> None:
    caller, count, faults = held_back(home.team), 0, []
    home.team.refresh_from_db()
    for probe in probes([caller], home):
        if not is_chosen(probe.name, share):
            continue
        count += 1
        with noted_writes() as writes:
            reply = probe.ask(home, home)
            # The page that says why names the team.
            own = [*own_words(probe, home, home), home.team.name]
            seen = seen_of(reply, *own)
        told = [one for one in home.canaries if one not in own and one in f"{seen[1]}{seen[2]}"]
        is_of_team = probe.needs is not None and probe.needs > Needs.LOG_IN
        is_of_team &= not (probe.method == "POST" and probe.route in HELD_BACK_TOO)
        if told or (is_of_team and (writes or sent_by(reply) not in CLOSED)):
            faults.append(f"{probe.name}: {seen[0]}, tells {told}, wrote {writes}")
    print(f"{count} probes of pages by a member who is held back")
    assert not faults, f"{len(faults)} of {count} probes:\n" + "\n".join(faults[:40])
