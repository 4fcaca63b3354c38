"""The platform's models: search, prices and estimates."""

from __future__ import annotations

import httpx
import pytest

from requests_app.sandbox.listing import MADE_UP
from requests_app.sandbox.models import ENDPOINTS
from tests.sandbox.calls import ended, submit

MODELS = "/api/v1/models"
PRICING = f"{MODELS}/pricing"
ESTIMATE = f"{PRICING}/estimate"


def listed(http: httpx.Client, **params: object) -> dict:
    reply = http.get(MODELS, params=params)
    assert reply.status_code == 200, reply.text
    return reply.json()


def walked(http: httpx.Client, **params: object) -> list[dict]:
    found: list[dict] = []
    while True:
        page = listed(http, **params)
        found += page["models"]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return found
        params["cursor"] = page["next_cursor"]


@pytest.mark.slow
def test_a_walk_by_cursor_meets_each_model_once(http):
    ids = [model["endpoint_id"] for model in walked(http, limit=100)]
    assert ids == [*ENDPOINTS, *MADE_UP]
    assert 1100 < len(ids) == len(set(ids)) < 1400


def test_the_list_needs_no_key_and_refuses_a_wrong_one(sandbox):
    assert httpx.get(sandbox.url + MODELS).json()["has_more"] is True
    wrong = httpx.get(sandbox.url + MODELS, headers={"Authorization": "Key no:body"})
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (401, "authorization_error")


def test_every_word_of_the_search_is_in_what_is_found(http):
    found = walked(http, q="Osprey lipsync")
    assert {model["endpoint_id"].split("/")[1] for model in found} == {"osprey"}
    assert len(found) == 4
    assert listed(http, q="no such thing at all")["models"] == []


def test_category_and_status_narrow_the_list(http):
    found = walked(http, category="text-to-speech", status="deprecated", limit=100)
    assert found
    for model in found:
        facts = model["metadata"]
        assert (facts["category"], facts["status"]) == ("text-to-speech", "deprecated")
    everything = walked(http, category="text-to-speech", limit=100)
    assert len(found) < len(everything)


@pytest.mark.parametrize("params", [
    {"endpoint_id": ["sandbox/flux/dev", "acme/router"]},
    {"endpoint_id": "sandbox/flux/dev,acme/router"},
])  # fmt: skip
def test_models_are_found_by_their_ids(http, params):
    models = listed(http, **params)["models"]
    assert [model["endpoint_id"] for model in models] == ["sandbox/flux/dev", "acme/router"]
    assert models[0]["metadata"]["category"] == "text-to-image"
    assert http.get(models[0]["metadata"]["thumbnail_url"]).status_code == 200


def test_documents_come_with_the_models_when_asked_for(http):
    made_up = next(iter(MADE_UP))
    for wanted in ("sandbox/flux/dev", made_up):
        [model] = listed(http, endpoint_id=wanted, expand="openapi-3.0")["models"]
        alone = http.get("/openapi", params={"endpoint_id": wanted}).json()
        assert model["openapi"] == alone
        assert alone["info"]["x-fal-metadata"]["endpointId"] == wanted
    [model] = listed(http, **{"endpoint_id": made_up, "expand[]": "openapi-3.0"})["models"]
    assert "openapi" not in model


def test_each_made_up_model_runs_as_an_endpoint_that_is_there(http):
    assert {one.runs_as for one in MADE_UP.values()} <= set(ENDPOINTS)
    name = next(one.id for one in MADE_UP.values() if one.runs_as == "sandbox/vision/chat")
    receipt = submit(http, name, prompt="How many?", image_url="https://example.com/a.png")
    ended(http, receipt)
    assert http.get(receipt["response_url"]).json()["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("params", "status", "kind"),
    [
        ({"limit": "0"}, 400, "validation_error"),
        ({"limit": "many"}, 400, "validation_error"),
        ({"cursor": "7"}, 400, "validation_error"),
        ({"cursor": "%"}, 400, "validation_error"),
        ({"endpoint_id": ",".join(f"a/{n}" for n in range(51))}, 400, "validation_error"),
        ({"endpoint_id": "sandbox/flux/dev,acme/nothing"}, 404, "not_found"),
    ],
)
def test_a_wrong_question_is_refused_in_the_platforms_shape(http, params, status, kind):
    reply = http.get(MODELS, params=params)
    assert (reply.status_code, reply.json()["error"]["type"]) == (status, kind)


def test_prices_have_a_unit_and_stay_the_same(http):
    names = ["sandbox/flux/lora-training", next(iter(MADE_UP))]
    first = http.get(PRICING, params={"endpoint_id": names}).json()
    assert first == http.get(PRICING, params={"endpoint_id": ",".join(names)}).json()
    assert (first["has_more"], first["next_cursor"]) == (False, None)
    assert [price["endpoint_id"] for price in first["prices"]] == names
    for price in first["prices"]:
        assert price["unit_price"] > 0
        assert price["unit"]
        assert price["currency"] == "USD"


@pytest.mark.parametrize(
    ("params", "status"),
    [({}, 400), ({"endpoint_id": "acme/nothing"}, 404),
     ({"endpoint_id": ["sandbox/flux/dev", "acme/nothing"]}, 404)],
)  # fmt: skip
def test_prices_of_unknown_models_are_404_and_of_none_400(http, params, status):
    assert http.get(PRICING, params=params).status_code == status


def test_prices_and_estimates_need_a_key(sandbox):
    question = {"endpoint_id": "sandbox/flux/dev"}
    assert httpx.get(sandbox.url + PRICING, params=question).status_code == 401
    assert httpx.post(sandbox.url + ESTIMATE, json={}).status_code == 401


def estimated(http: httpx.Client, kind: str, **quantities: object) -> httpx.Response:
    name = "call_quantity" if kind == "historical_api_price" else "unit_quantity"
    endpoints = {f"sandbox/flux/{key}": {name: value} for key, value in quantities.items()}
    return http.post(ESTIMATE, json={"estimate_type": kind, "endpoints": endpoints})


def test_an_estimate_is_one_total_of_all_endpoints(http):
    question = {"endpoint_id": "sandbox/flux/dev"}
    unit_price = http.get(PRICING, params=question).json()["prices"][0]["unit_price"]
    reply = estimated(http, "unit_price", dev=2.5).json()
    assert reply == {"estimate_type": "unit_price", "currency": "USD",
                     "total_cost": pytest.approx(2.5 * unit_price)}  # fmt: skip

    def cost(**calls: int) -> float:
        return estimated(http, "historical_api_price", **calls).json()["total_cost"]

    assert cost(dev=3, lora=2) == pytest.approx(cost(dev=1) * 3 + cost(lora=1) * 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"estimate_type": "guess", "endpoints": {}}, 400),
        ({"estimate_type": "unit_price", "endpoints": {}}, 400),
        ({"estimate_type": "unit_price", "endpoints": {"acme/router": {"call_quantity": 1}}}, 400),
        ({"estimate_type": "unit_price", "endpoints": {"acme/router": {"unit_quantity": 0}}}, 400),
        ({"estimate_type": "unit_price", "endpoints": {"acme/router": {"unit_quantity": True}}}, 400),
        ({"estimate_type": "historical_api_price",
          "endpoints": {"acme/router": {"call_quantity": 1.5}}}, 400),
        ({"estimate_type": "unit_price", "endpoints": {"acme/no": {"unit_quantity": 1}}}, 404),
    ],
)  # fmt: skip
def test_a_wrong_estimate_is_refused(http, body, status):
    assert http.post(ESTIMATE, json=body).status_code == status


@pytest.mark.parametrize("quantity", ["1e999", "NaN", "1" + "0" * 400, "-1", "null"])
def test_a_quantity_that_is_no_number_is_refused(http, quantity):
    body = '{"estimate_type":"unit_price","endpoints":{"acme/router":{"unit_quantity":%s}}}'
    assert http.post(ESTIMATE, content=body % quantity).status_code == 400


def test_an_estimate_that_is_no_json_is_refused(http):
    assert http.post(ESTIMATE, content=b"{").status_code == 400


def test_it_misbehaves_on_demand(http, sandbox):
    for when, path in (("models", MODELS), ("pricing", PRICING)):
        sandbox.faults.add(when=when, do="503")
        assert http.get(path, params={"endpoint_id": "sandbox/flux/dev"}).status_code == 503
