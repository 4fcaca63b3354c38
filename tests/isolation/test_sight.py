"""A member who may not see inputs and outputs: what is shown all the same, and that there is something to be hidden."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from requests_app.api.api import api
from requests_app.models import HIDDEN, ApiToken, Role
from requests_app.urls import urlpatterns
from requests_app.views.sight import OPEN
from tests.builders import make_queued
from tests.fal.peer import says
from tests.gateway.conftest import Serving
from tests.gateway.conftest import serving as serving
from tests.isolation.estate import Estate
from tests.isolation.pages import address, queries
from tests.isolation.people import Caller, unseeing
from tests.isolation.probing import seen_of, text_of
from tests.isolation.rights import API_PAYLOADS, PAYLOADS, READS, Needs
from tests.isolation.test_api import BASE, values
from tests.worker.conftest import peer as peer

# Closed to such a member, and without a word of an input as a member who sees them reads them in this estate: names, and
# who is told what; pictures; pages that ask another address for what they show.
WITHOUT_WORDS = frozenset("""
    exports export_job export_live media_zip import_run notices notice_log forwarding destination
    frame_raw frame_media output_media medium kept_media thumbnail thumbnails realtime sessions messages
    presets preset_menu batch_results run_file
    """.split())  # fmt: skip # noqa: SIM905
# Open, and with words of inputs for a member who sees them.
REDACTED = frozenset("""
    list rows detail result peek palette completions batch batch_live errors export bulk_action bulk_live
    """.split())  # fmt: skip # noqa: SIM905
# What of a request each open page shows, by the page: texts, each with what a part of it stands for.
SHOWN = {
    "list": "{endpoint} {person} {status} {tag}",
    "rows": "{endpoint} {person} {status}",
    "detail": "{endpoint} {person} {status} {fals_id} {note}",
    "peek": "{endpoint} {person} {status}",
    "batch": "{endpoint} {name} failed",
    "errors": "{endpoint} {tag}",
    "export": "{endpoint} {person} {status} {fals_id}",
}
ONCE = ("list", "batch", "errors")  # pages of many rows, which say once why they show no inputs


def test_every_route_says_whether_it_consists_of_payloads() -> None:
    names = {str(one.name) for one in urlpatterns}
    assert names == OPEN | PAYLOADS and not OPEN & PAYLOADS


def test_every_operation_says_whether_it_consists_of_payloads() -> None:
    closed = {
        f"{method}:{prefix}{path}".replace("{path:", "{").replace("//", "/").replace(":/", ":")
        for prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
        if any(getattr(one, "shows_payloads", False) for one in operation.auth_callbacks)
    }
    assert closed == API_PAYLOADS


def member(home: Estate, *, sees: bool = True) -> Caller:
    found = home.person("seeing", Role.OWNER) if sees else unseeing(home, "reader", Role.MEMBER)
    return Caller("reader", Needs.SUBMIT, team=home.team, user=found.user, sees=sees)


def words_of(caller: Caller, route: str, home: Estate) -> str:
    """All that a page says, however it is asked."""
    given = ["", *queries(route, home, home), f"?ids={home.row.public_id}", "?was=running"]
    path = address(route, home)
    return "".join(text_of(caller.ask("GET", path + query)) for query in given)


@pytest.mark.slow
def test_all_that_is_hidden_is_there_for_those_who_see_it(home: Estate) -> None:
    seeing = member(home)
    closed = {route for route in PAYLOADS if route in READS} - WITHOUT_WORDS
    silent = [
        route for route in sorted(closed | REDACTED)
        if not any(one in words_of(seeing, route, home) for one in home.payloads)
    ]  # fmt: skip
    assert " ".join(silent) == "", "no input stands here: no probe would find one that is told"


@pytest.mark.slow
@pytest.mark.parametrize("route", SHOWN)
def test_an_open_page_shows_all_but_inputs_and_outputs(route: str, home: Estate) -> None:
    caller = member(home, sees=False)
    query = f"?ids={home.row.public_id}" if route == "rows" else ""
    text = text_of(caller.ask("GET", address(route, home) + query))
    parts = {
        "endpoint": home.endpoint_id, "person": home.owner.get_username(), "status": "completed",
        "tag": home.secret, "fals_id": home.row.fal_request_id, "note": f"note of {home.both}", "name": home.both,
    }  # fmt: skip
    for part in SHOWN[route].split():
        assert part.format(**parts) in text, part
    assert not [one for one in home.payloads if one in text]
    if route in ONCE:
        assert text.count(HIDDEN) == 1


@pytest.mark.parametrize("route", ["output", "gallery", "run_file"])
def test_what_is_payload_alone_is_closed_with_the_sentence(route: str, home: Estate) -> None:
    reply = member(home, sees=False).ask("GET", address(route, home))
    assert reply.status_code == 403 and HIDDEN in reply.text


def test_own_requests_are_hidden_on_pages_and_reach_their_program_through_the_gateway(
    home: Estate, serving: Serving, peer: Any, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    user = unseeing(home, "maker", Role.MEMBER).user
    mine = make_queued(
        "own-req", team=home.team, person=user, endpoint_id="acme/img",
        input={"prompt": home.payload},
    )  # fmt: skip
    text = ApiToken.issue(user, home.team)
    bearer = {"Authorization": f"Bearer {text}"}
    page = Caller("maker", Needs.SUBMIT, team=home.team, user=user)
    program = Caller("token", Needs.LOG_IN, team=home.team, headers=bearer)
    for caller, path in (
        (page, f"/requests/{mine.public_id}/"), (program, f"/api/v1/requests/{mine.public_id}/"),
    ):  # fmt: skip
        status, _, told = seen_of(caller.ask("GET", path))
        assert status == 200 and "own-req" in told and home.payload not in told
    peer.will(says(202, {"detail": "passed on"}))
    with httpx.Client(base_url=serving.url, timeout=60) as http:
        headers = {"authorization": f"Key {text}"}
        for request_id, status in (("own-req", 202), (home.live.fal_request_id, 404)):
            path = f"/gateway/queue/acme/img/requests/{request_id}/status"
            assert http.get(path, headers=headers).status_code == status
    serving.recorded()


@pytest.mark.slow
def test_operations_that_are_refused_tell_of_inputs_to_those_who_see_them(home: Estate) -> None:
    text, found = ApiToken.issue(home.owner, home.team), []
    program = Caller("token", Needs.LOG_IN, headers={"Authorization": f"Bearer {text}"})
    paths = ["batches/{id}/items/", *(name[4:] for name in API_PAYLOADS if name.startswith("GET:"))]
    for path in sorted(paths):
        url = BASE + path
        for part, value in values(path, home).items():
            url = url.replace(part, str(value))
        if home.payload in text_of(program.ask("GET", url)):
            found.append(path)
    telling = (
        "batches/{id}/items/ batches/{id}/results/ errors/ errors/{id}/ exports/{id}/file/ presets/{id}/ "
        "presets/{id}/versions/{number}/ requests/{id}/input/ requests/{id}/output/ "
        "requests/{id}/frames/ requests/{id}/logs/ requests/{id}/media/ deliveries/{id}/"
    )
    assert sorted(set(telling.split()) - set(found)) == []
