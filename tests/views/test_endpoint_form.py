"""The form of an endpoint on the page for a new request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from requests_app.catalogue import store
from requests_app.fal.endpoints import EndpointId
from requests_app.forms.submit import new_token
from requests_app.models import FalRequest, Membership, Role, Status, Team
from tests.browsers import Browser
from tests.builders import make_request
from tests.catalogue.conftest import DocumentServer, server
from tests.catalogue.documents import IMAGE_SIZE, ref, whole

__all__ = ["server"]

PROPERTIES = {
    "prompt": {"type": "string", "title": "Prompt", "description": "<b>What</b> to paint"},
    "num_images": {"type": "integer", "minimum": 1, "maximum": 4, "default": 1},
    "size": {"anyOf": [ref("Size"), {"enum": ["square"], "type": "string"}]},
}
INPUT = {"type": "object", "properties": PROPERTIES, "required": ["prompt"]}
DOCUMENT = json.dumps(whole({"In": INPUT, "Size": IMAGE_SIZE})).encode()


@pytest.fixture
def page(owner: User, team: Team, server: DocumentServer) -> Browser:
    server.body = DOCUMENT
    browser = Browser()
    browser.force_login(owner)
    return browser


def fields(page: Browser, endpoint: str) -> str:
    reply = page.get("/requests/new/fields/", {"endpoint": endpoint})
    assert reply.status_code == 200
    return reply.content.decode()


def send(page: Browser, given: Any, **more: str) -> Any:
    values = {
        "token": new_token(),
        "endpoint_id": "acme/thing",
        "mode": "queue",
        "input": json.dumps(given),
    }
    return page.post("/requests/new/", values | more, headers={"HX-Request": "true"})


def test_the_fields_of_an_endpoint_are_drawn_and_texts_are_escaped(page: Browser) -> None:
    html = fields(page, "acme/thing")
    assert 'data-name="prompt"' in html
    assert 'data-control="size"' in html
    assert "&lt;b&gt;What&lt;/b&gt;" in html


@pytest.mark.parametrize(
    ("status", "endpoint", "sentence"),
    [(404, "acme/thing", "no schema"), (500, "acme/thing", "HTTP 500"), (200, "acme", "endpoint id"), (200, "", "endpoint id")],
)  # fmt: skip
def test_without_a_schema_there_is_a_sentence(
    page: Browser, server: DocumentServer, status: int, endpoint: str, sentence: str
) -> None:
    server.status = status
    html = fields(page, endpoint)
    assert "data-no-schema" in html
    assert sentence in html


def test_a_known_schema_comes_with_the_page_and_nothing_is_fetched(
    page: Browser, server: DocumentServer, team: Team
) -> None:
    store.get(EndpointId.parse("acme/thing"), team)
    html = page.get("/requests/new/", {"endpoint": "acme/thing"}).content.decode()
    assert 'data-name="num_images"' in html
    assert len(server.asked) == 1


def test_an_unknown_schema_is_not_fetched_on_the_way_to_the_page(
    page: Browser, server: DocumentServer
) -> None:
    html = page.get("/requests/new/", {"endpoint": "acme/thing"}).content.decode()
    assert "data-schema-form" not in html
    assert not server.asked


def test_an_input_that_the_schema_refuses_is_not_sent(page: Browser, team: Team) -> None:
    store.get(EndpointId.parse("acme/thing"), team)
    reply = send(page, {"num_images": 9})
    assert reply.status_code == 422
    html = reply.content.decode()
    assert "&quot;path&quot;: &quot;/num_images&quot;" in html
    assert "This field is required." in html
    assert not FalRequest.objects.exists()


def test_a_person_may_send_it_all_the_same(page: Browser, team: Team) -> None:
    store.get(EndpointId.parse("acme/thing"), team)
    reply = send(page, {"num_images": 9}, unchecked="1")
    assert reply.status_code == 200
    assert json.loads(FalRequest.objects.get().input_text) == {"num_images": 9}


def test_an_endpoint_without_a_known_schema_is_left_to_fal(
    page: Browser, server: DocumentServer
) -> None:
    assert send(page, {"num_images": 9}).status_code == 200
    assert not server.asked


def test_what_is_sent_is_what_was_typed(page: Browser, team: Team) -> None:
    store.get(EndpointId.parse("acme/thing"), team)
    text = '{"prompt": "a", "num_images": 1E0}'
    values = {"token": new_token(), "endpoint_id": "acme/thing", "mode": "queue", "input": text}
    assert page.post("/requests/new/", values).status_code == 302
    assert FalRequest.objects.get().input_text == text


def test_the_fields_that_fal_refused_are_marked_when_the_request_is_edited(
    page: Browser, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner, endpoint_id="acme/thing", input={"prompt": "x"})
    body = {
        "detail": [
            {"loc": ["body", "images", 0, "a/b"], "msg": "Bad image", "type": "image_load_error"}
        ]
    }
    FalRequest.objects.filter(pk=row.pk).update(
        status=Status.FAILED, error_code=422, error="Bad image", output=json.dumps(body).encode()
    )
    html = page.get("/requests/new/", {"again": str(row.public_id)}).content.decode()
    assert (
        "&quot;path&quot;: &quot;/images/0/a~1b&quot;, &quot;message&quot;: &quot;Bad image&quot;"
        in html
    )


# --- several runs ---------------------------------------------------------------------------------

SEEDED = {**PROPERTIES, "seed": {"type": "integer", "title": "Seed"}}


@pytest.fixture
def seeded(page: Browser, server: DocumentServer, team: Team) -> Browser:
    """The page, and an endpoint with a seed whose document is known."""
    server.body = json.dumps(
        whole({"In": {**INPUT, "properties": SEEDED}, "Size": IMAGE_SIZE})
    ).encode()
    store.get(EndpointId.parse("acme/thing"), team)
    return page


def test_several_runs_are_requests_that_differ_in_their_seed_alone(seeded: Browser) -> None:
    reply = send(seeded, {"prompt": "x", "seed": 5}, runs="4")
    rows = FalRequest.objects.order_by("id")
    assert [row.input_text for row in rows] == [
        f'{{"prompt": "x", "seed": {seed}}}' for seed in range(5, 9)
    ]
    news = json.loads(reply["HX-Trigger"])["request:created"]
    assert news["ids"] == [str(row.public_id) for row in rows]
    assert news["id"] == news["ids"][0] and news["compare"].count("id=") == 4


def test_the_same_form_with_several_runs_sent_again_makes_no_more(seeded: Browser) -> None:
    token = new_token()
    first, second = (send(seeded, {"prompt": "x"}, runs="3", token=token) for _ in range(2))
    assert FalRequest.objects.count() == 3
    assert first["HX-Trigger"] == second["HX-Trigger"]
    assert send(seeded, {"prompt": "x"}, runs="2", token=token).status_code == 422
    assert send(seeded, {"prompt": "x"}, token=token).status_code == 422
    assert FalRequest.objects.count() == 3


@pytest.mark.parametrize("runs", ["0", "17", "-1", "2.5", "many", "9" * 300])
def test_a_number_of_runs_out_of_range_is_refused_at_its_field(seeded: Browser, runs: str) -> None:
    reply = send(seeded, {"prompt": "x"}, runs=runs)
    assert reply.status_code == 422
    assert 'id="error-runs"' in reply.content.decode()
    assert not FalRequest.objects.exists()


@pytest.mark.parametrize("runs", ["", "1"])
def test_one_run_changes_nothing_of_the_input(seeded: Browser, runs: str) -> None:
    assert send(seeded, {"prompt": "x"}, runs=runs).status_code == 200
    assert FalRequest.objects.get().input_text == '{"prompt": "x"}'


def test_without_a_seed_several_runs_are_refused_and_say_why(page: Browser, team: Team) -> None:
    store.get(EndpointId.parse("acme/thing"), team)
    reply = send(page, {"prompt": "x"}, runs="2")
    assert reply.status_code == 422
    assert "has no seed" in reply.content.decode()
    assert not FalRequest.objects.exists()


def test_without_scripts_several_runs_lead_to_their_comparison(seeded: Browser) -> None:
    values = {"token": new_token(), "endpoint_id": "acme/thing", "mode": "queue"}
    reply = seeded.post("/requests/new/", values | {"input": '{"prompt": "x"}', "runs": "2"})
    assert reply.status_code == 302
    assert reply["Location"].startswith("/requests/compare/?id=")


def test_more_runs_than_can_be_compared_say_so(seeded: Browser) -> None:
    values = {"token": new_token(), "endpoint_id": "acme/thing", "mode": "queue"}
    values |= {"input": '{"prompt": "x"}', "runs": "6"}
    shown = seeded.post("/requests/new/", values, follow=True).content.decode()
    assert "6 were submitted. Compare takes up to 4: the first." in shown
    assert shown.count('class="card compare-column"') == 4


def test_the_comparison_is_in_the_runs_team(seeded: Browser, owner: User) -> None:
    other = Team.objects.create(name="Second")
    Membership.objects.create(team=other, user=owner, role=Role.MEMBER)
    reply = send(seeded, {"prompt": "x"}, runs="2", made_for=str(other.pk))
    news = json.loads(reply["HX-Trigger"])["request:created"]
    assert FalRequest.objects.latest("id").team == other
    assert news["compare"].endswith(f"&team={other.pk}")


def test_the_number_of_runs_is_offered_where_there_is_a_seed(seeded: Browser) -> None:
    offered = seeded.get("/requests/new/", {"endpoint": "acme/thing"}).content.decode()
    assert 'data-seed="Seed"' in offered and 'class="repeat">' in offered
    other = seeded.get("/requests/new/", {"endpoint": "acme/unknown"}).content.decode()
    assert 'class="repeat" hidden>' in other
