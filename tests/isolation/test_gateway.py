"""Every operation of the gateway by token: what passes, what is refused, and whose requests it reaches."""

from __future__ import annotations

from itertools import product
from typing import Any

import httpx

from requests_app.gateway.addresses import Operation
from requests_app.models import TokenScope
from tests.fal.peer import says
from tests.gateway.conftest import Serving
from tests.gateway.conftest import serving as serving
from tests.isolation.estate import Estate
from tests.isolation.people import Caller, programs
from tests.isolation.rights import GATEWAY, Needs
from tests.worker.conftest import peer as peer

FALS = "https://queue.fal.run"
ADDRESSES = {
    "submit": ("POST", "queue/acme/img"),
    "direct": ("POST", "run/acme/img"),
    "other": ("GET", "queue/acme/img"),
    "cancel": ("PUT", "queue/acme/img/requests/{id}/cancel"),
    "status": ("GET", "queue/acme/img/requests/{id}/status"),
    "status_stream": ("GET", "queue/acme/img/requests/{id}/status/stream"),
    "result": ("GET", "queue/acme/img/requests/{id}"),
}


def test_every_operation_stands_in_the_table() -> None:
    assert set(GATEWAY) == set(Operation) == set(ADDRESSES)


WAYS = ("by the header", "by the proxy", "by the path")


def ask(http: httpx.Client, caller: Caller, name: str, request_id: str, way: str) -> Any:
    """Call as fal's clients do; by the path the header carries a key of fal's."""
    method, path = ADDRESSES[name]
    path = path.format(id=request_id)
    token = caller.headers.get("Authorization", "").removeprefix("Bearer ")
    headers = {"authorization": f"Key app:{token}"} if token else {}
    if way == "by the path":
        headers, path = {"authorization": "Key id:of-fal"}, f"t/{token or 'none'}/{path}"
    if way == "by the proxy":
        service, _, rest = path.partition("/")
        headers["x-fal-target-url"] = f"{FALS if service == 'queue' else 'https://fal.run'}/{rest}"
        path = "proxy"
    return http.request(method, f"/gateway/{path}", headers=headers, content=b"{}")


def expected(caller: Caller, name: str, home: Estate) -> int:
    """The status: 202 is fal's own, so the call has passed."""
    if caller.scope is None:
        return 401
    acts = GATEWAY[name] is Needs.SUBMIT
    if acts and not caller.scope.covers(TokenScope.SUBMIT):
        return 403
    is_others = caller.team != home.team or not caller.sees
    return 404 if "{id}" in ADDRESSES[name][1] and is_others else 202


def test_the_gateway_keeps_a_team_to_itself(
    home: Estate, rival: Estate, serving: Serving, peer: Any
) -> None:
    callers, faults, count = programs(home, rival), [], 0
    with httpx.Client(base_url=serving.url, timeout=60) as http:
        for caller, name, way in product(callers, GATEWAY, WAYS):
            count += 1
            wanted = expected(caller, name, home)
            asked = len(peer.requests)
            if wanted == 202:
                peer.will(says(202, {"detail": "passed on"}))
            reply = ask(http, caller, name, home.live.fal_request_id, way)
            call = f"{caller.name}: {name} {way}"
            if reply.status_code != wanted:
                faults.append(f"{call}: {reply.status_code} instead of {wanted}")
            if (len(peer.requests) > asked) != (wanted == 202):
                faults.append(f"{call}: fal was asked {len(peer.requests) - asked} times")
            if home.secret in reply.text + str(reply.headers):
                faults.append(f"{call} tells {reply.text}")
    serving.recorded()  # nothing is written any more when the tables are emptied
    print(f"{count} probes of the gateway")
    assert not faults, "\n".join(faults)
