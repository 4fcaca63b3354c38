"""What every path of the API has: JSON for what is not there, a slash that may be missing, where a new thing is."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

from django.test import Client

from requests_app.models import FalRequest
from tests.api.conftest import Caller

BODY = json.dumps({"endpoint_id": "acme/one", "input": {"seed": 7}})


def client_of(owner: Caller) -> Client:
    return Client(headers=owner.headers)


def test_the_slash_at_the_end_may_be_left_out(owner: Caller) -> None:
    client = client_of(owner)
    made = client.post("/api/v1/requests?wait=0", BODY, content_type="application/json")
    assert made.status_code == 201
    row = FalRequest.objects.get()
    for path in (f"requests/{row.public_id}", "me", "endpoints/acme/one", "requests"):
        assert client.get(f"/api/v1/{path}").status_code == 200, path
        assert client.get(f"/api/v1/{path}?surprise=1").status_code == 422, path
    assert Client().get("/api/v1/me").status_code == 401


def test_what_is_not_there_is_json_and_never_a_redirect(owner: Caller) -> None:
    for path in ("/api/v1/nothing", "/api/v1/nothing/here", "/api/v1/requests/a/b/"):
        lost = client_of(owner).post(path, BODY, content_type="application/json")
        assert (lost.status_code, lost.json()) == (404, {"detail": "Not found."})
        assert Client().post(path).status_code == 401


def test_a_wrong_method_is_refused_in_json(owner: Caller) -> None:
    client = client_of(owner)
    for method in ("put", "patch", "delete"):
        refused = getattr(client, method)("/api/v1/requests/")
        assert (refused.status_code, refused.json()) == (405, {"detail": "Method not allowed."})
        assert set(refused["Allow"].split(", ")) == {"GET", "POST"}
    assert client.get(f"/api/v1/requests/{uuid4()}/cancel/").status_code == 405


def test_a_new_thing_has_its_address_in_the_reply(owner: Caller) -> None:
    client = client_of(owner)

    def made(path: str, body: Any) -> str:
        reply = client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        assert reply.status_code == 201, reply.content
        assert client.get(reply["Location"]).status_code == 200
        return str(reply["Location"])

    first = made("requests/", json.loads(BODY))
    assert first == f"/api/v1/requests/{FalRequest.objects.get().public_id}/"
    again = made(f"requests/{first.split('/')[-2]}/again/", {})
    assert again == f"/api/v1/requests/{FalRequest.objects.latest('id').public_id}/"
    made("presets/", {"name": "one", "endpoint_id": "acme/one", "input": {}})
    batch = {"endpoint_id": "acme/one", "input": {"a": "{{b}}"}, "rows": [{"b": 1}]}
    assert made("batches/", batch).startswith("/api/v1/batches/")
    repeated = {"Idempotency-Key": "one"}
    for code in (201, 200):
        reply = owner.post("", json.loads(BODY) | {"allow_duplicate": True}, **repeated)
        assert (reply.status_code, "Location" in reply) == (code, code == 201)


def test_operations_have_short_names_of_their_own() -> None:
    from requests_app.api.api import api

    schema: Any = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    names = [one["operationId"] for ways in schema["paths"].values() for one in ways.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+_[a-z_]+", name) for name in names), names
    assert {"requests_create", "requests_list", "errors_list", "exports_read_file"} <= set(names)
