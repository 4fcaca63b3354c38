"""Deliveries over the API: listed by verdict, read with their bytes, and settled again by the same rules."""

from __future__ import annotations

import base64
from typing import Any

from django.test import Client

from requests_app.models import Delivery, FalRequest
from requests_app.webhooks.deliveries import key_cache, receive
from tests.api.conftest import Caller
from tests.builders import SECRET, make_awaiting, make_post
from tests.signing import KeyHost, Signer, body_of

PATH = "/api/v1/deliveries/"


def get(caller: Caller, path: str = "") -> Any:
    return Client().get(PATH + path, headers=caller.headers)


def post_to(caller: Caller, path: str) -> Any:
    return Client().post(PATH + path, "", content_type="application/json", headers=caller.headers)


def test_a_delivery_is_listed_read_and_settled_once(
    owner: Caller, teammate: Caller, signer: Signer, key_host: KeyHost
) -> None:
    row: FalRequest = make_awaiting(team=owner.team, person=owner.user)
    key_host.signers = [Signer()]
    post = make_post(signer, body_of("r1"))
    receive(row.public_id, SECRET, post)
    one = Delivery.objects.get()
    [line] = get(owner).json()["items"]
    assert (line["id"], line["verdict"], line["why_not"]) == (one.pk, "bad_signature", "")
    assert line["request_id"] == str(row.public_id)
    assert get(owner, "?verdict=accepted").json() == {"items": [], "next_before": None}
    assert get(owner, f"?before={one.pk}").json()["items"] == []
    assert get(owner, "?verdict=nonsense").status_code == 422
    read = get(owner, f"{one.pk}/").json()
    assert base64.b64decode(read["body_base64"]) == post.body == read["body_text"].encode()
    assert read["headers"] == dict(post.headers)
    key_host.signers = [signer]
    key_cache.cache_clear()  # as after a while: keys are not fetched anew all the time
    assert post_to(teammate, f"{one.pk}/settle/").status_code == 403
    settled = post_to(owner, f"{one.pk}/settle/")
    assert (settled.status_code, settled.json()["verdict"]) == (200, "accepted")
    again = post_to(owner, f"{one.pk}/settle/")
    assert again.status_code == 409 and "verdict stands" in again.json()["detail"]
    for key in ("0", "x", "9" * 30):
        assert get(owner, f"{key}/").status_code == 404
