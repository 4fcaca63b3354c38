"""A member who may not see inputs and outputs: what is shown all the same, and that there is something to be hidden."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import httpx
import pytest
from django.urls import resolve

from requests_app.api.api import api
from requests_app.models import HIDDEN, ApiToken, Export, Membership, Role
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
from tests.isolation.rights import API, API_PAYLOADS, PAYLOADS, READS, Needs
from tests.isolation.test_api import BASE, values
from tests.worker.conftest import peer as peer

# Closed to such a member, and without a word of an input as a member who sees them reads them in this estate: names, and
# who is told what; pictures; pages that ask another address for what they show.
WITHOUT_WORDS = frozenset("""
    media_zip import_run frame_raw frame_media output_media medium kept_media thumbnail thumbnails messages batch_results
    run_file
    """.split())  # fmt: skip # noqa: SIM905
# Open, and with words of inputs for a member who sees them.
REDACTED = frozenset("""
    list rows detail result peek palette completions batch batch_live errors error_group export bulk_action bulk_live
    audit export_audit bulk_actions exports export_job export_live export_file compare preset notices notice_log destination
    """.split())  # fmt: skip # noqa: SIM905
# What of a request each open page shows, by the page: texts, each with what a part of it stands for.
SHOWN = {
    "list": "{endpoint} {person} {status} {tag}",
    "rows": "{endpoint} {person} {status}",
    "detail": "{endpoint} {person} {status} {fals_id} {note}",
    "peek": "{endpoint} {person} {status}",
    "batch": "{endpoint} {name} failed",
    "errors": "{endpoint} {tag}",
    "error_group": "{endpoint} {tag}",
    "exports": "{person}",
    "export_job": "{person}",
    "compare": "{endpoint} {person} {status}",
    "presets": "{endpoint} {name} {person}",
    "preset": "{endpoint} {name} {person}",
    "preset_menu": "{name}",
    "notices": "{name}",
    "destination": "{endpoint} {name}",
    "export": "{endpoint} {person} {status} {fals_id}",
}
# Pages which say once why they show no inputs.
ONCE = (
    "list", "batch", "errors", "error_group", "exports", "export_job", "compare", "presets", "preset", "preset_menu",
    "notices", "destination",
)  # fmt: skip
QUERY = {
    "rows": "?ids={row}",
    "compare": "?id={row}&id={failed}",
    "preset_menu": "?endpoint_id={endpoint}",
}


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
    name = f"reader{Membership.objects.count()}"  # another one each time
    found = home.person(name, Role.OWNER) if sees else unseeing(home, name, Role.MEMBER)
    return Caller("reader", Needs.SUBMIT, team=home.team, user=found.user, sees=sees)


def words_of(caller: Caller, route: str, home: Estate) -> str:
    """All that a page says, however it is asked."""
    given = [
        "",
        *queries(route, home, home),
        f"?ids={home.row.public_id}",
        "?was=running",
        "?was=finished",
    ]
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
    reader = unseeing(home, "reader", Role.ADMIN)
    caller = Caller("reader", Needs.MANAGE, team=home.team, user=reader.user, sees=False)
    query = QUERY.get(route, "").format(
        row=home.row.public_id, failed=home.failed.public_id, endpoint=home.endpoint_id
    )
    text = text_of(caller.ask("GET", address(route, home, sees=False) + query))
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
    unseeing(home, "head", Role.ADMIN)  # who lacks the right can give it to no one
    seeing = home.person("seeing", Role.ADMIN).user.get_username()
    reply = member(home, sees=False).ask("GET", address(route, home))
    told = f"{HIDDEN} Ask {home.owner.get_username()}, {seeing}."
    assert reply.status_code == 403 and told in reply.text


def test_a_group_of_errors_has_a_number_for_those_who_do_not_see_its_sentence(home: Estate) -> None:
    digest, number = (f"/errors/{home.part('', 'group_id', sees=one)}/" for one in (True, False))
    answers = [
        member(home, sees=sees).ask("GET", path).status_code
        for sees in (False, True)
        for path in (number, digest)
    ]
    assert answers == [200, 404, 200, 200]
    assert digest not in text_of(member(home, sees=False).ask("GET", "/errors/"))


def test_a_file_without_inputs_and_outputs_is_open_to_those_who_may_not_see_them(
    home: Estate,
) -> None:
    text = ApiToken.issue(unseeing(home, "writer", Role.MEMBER).user, home.team)
    program = Caller("token", Needs.LOG_IN, headers={"Authorization": f"Bearer {text}"})
    for open_to_all, status in ((False, 403), (True, 200)):
        Export.objects.filter(pk=home.export.pk).update(without_payloads=open_to_all)
        for caller, path in (
            (member(home, sees=False), address("export_file", home)),
            (program, f"{BASE}exports/{home.export.public_id}/file/"),
        ):
            reply = caller.ask("GET", path)
            assert reply.status_code == status
            reply.close()


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
    paths = [name[4:] for name in API if name.startswith("GET:") and not name.endswith("/events/")]
    for path in sorted(paths):
        url = BASE + path
        for part, value in values(path, home).items():
            url = url.replace(part, str(value))
        if home.payload in text_of(program.ask("GET", url)):
            found.append(path)
    telling = (
        "batches/{id}/items/ batches/{id}/results/ presets/{id}/ "
        "presets/{id}/versions/{number}/ requests/{id}/input/ requests/{id}/output/ "
        "requests/{id}/frames/ requests/{id}/logs/ requests/{id}/media/ "
        "bulk/ errors/ errors/{id}/ exports/ exports/{id}/ exports/{id}/file/ deliveries/ deliveries/{id}/ "
        "notices/channels/ forwarding/destinations/{id}/messages/"
    )
    assert sorted(set(telling.split()) - set(found)) == []


@pytest.mark.long
@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.ADMIN])
def test_no_link_leads_such_a_member_into_a_wall(role: Role, home: Estate) -> None:
    user = unseeing(home, "reader", role).user
    caller = Caller("reader", Needs.TEAM, team=home.team, user=user, sees=False)
    left, seen, walls = ["/requests/", f"/requests/{home.row.public_id}/"], set(), []
    left += [address(route, home, sees=False) for route in SHOWN if route not in QUERY]
    left += [f"/palette/?q={word}" for word in ("", "import", home.word)]
    left.append(address("compare", home) + f"?id={home.row.public_id}&id={home.failed.public_id}")
    while left:
        page = left.pop()
        reply = caller.ask("GET", page)
        if reply.status_code == 403 and HIDDEN in reply.text:
            walls.append(page)
        for link in re.findall(r'(?:href|hx-get)="(/(?!static/)[^"#]*)', text_of(reply)):
            found = resolve(unescape(link).partition("?")[0])
            # One of each kind of link of a kind of page is enough.
            kind = (resolve(page.partition("?")[0]).url_name, found.url_name, len(link.split("=")))
            if found.namespace == "requests" and kind not in seen:
                seen.add(kind)
                left.append(unescape(link))
    assert len(seen) > 60 and not walls
