"""The page of an endpoint: what fal says of it, its fields, its figures; known, unknown, foreign."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from requests_app.catalogue import store
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Endpoint, ModelCard, Preset, Team, TeamEndpoint
from requests_app.presets import saving
from tests.builders import make_request
from tests.catalogue.conftest import DocumentServer, server
from tests.catalogue.documents import whole
from tests.views.request_page import HOSTILE

__all__ = ["server"]
PAGE = "/endpoints/acme/thing/"
SEEN = "/endpoints/seen/"
PASTE, DROP = "/endpoints/document/", "/endpoints/fals-document/"
PROPERTIES = {
    "prompt": {"type": "string"},
    "steps": {"type": "integer", "minimum": 1, "maximum": 8, "default": 4},
    "size": {"type": "string", "enum": ["small", "large"], "default": "small"},
    "box": {"type": "object", "properties": {"x": {"type": "number"}}},
}


def text(reply: Any) -> str:
    return " ".join(html.unescape(reply.content.decode()).split())


def know(server: DocumentServer, properties: dict[str, Any] = PROPERTIES) -> None:
    schema = {"type": "object", "properties": properties, "required": ["prompt"]}
    server.body = json.dumps(whole({"In": schema})).encode()
    store.refresh(EndpointId.parse("acme/thing"), now=timezone.now())
    server.asked.clear()


def test_fields_have_name_kind_default_and_range(as_owner, server):
    know(server)
    page = text(as_owner.get(PAGE))
    assert '<code>prompt</code> <span class="required">required</span>' in page
    assert "1 to 8" in page
    assert '<td class="mono">"small"</td>' in page
    assert "small, large" in page
    assert '<tr class="inside-1">' in page
    assert not server.asked


def test_an_unknown_endpoint_shows_at_once_and_loads_its_fields_after(as_owner, server, settings):
    settings.FAL_API_URL = server.url
    page = text(as_owner.get(PAGE))
    assert 'hx-get="/endpoints/acme/thing/?wait=1"' in page
    assert not server.asked
    server.body = json.dumps(whole({"In": {"type": "object", "properties": PROPERTIES}})).encode()
    assert "<code>prompt</code>" in text(as_owner.get(PAGE, {"wait": "1"}))


def test_an_endpoint_that_fal_does_not_know_says_so(as_owner, server, settings):
    settings.FAL_API_URL = "http://127.0.0.1:1"
    server.status = 404
    page = text(as_owner.get(PAGE, {"wait": "1"}))
    assert "fal has no schema for this endpoint. Its input is written as JSON." in page
    assert "Not used yet." in page


def test_what_fals_list_says_is_shown(as_owner, server):
    ModelCard.objects.create(
        endpoint_id="acme/thing", title="The Thing", category="vision", licence="research", status="deprecated",
        description="Sees things.", page_url="https://fal.run/acme/thing", checked_at=timezone.now(),
    )  # fmt: skip
    page = text(as_owner.get(PAGE))
    for words in ("The Thing", "vision", "Licence: research", "deprecated", "Sees things."):
        assert words in page
    assert 'href="https://fal.run/acme/thing" rel="noreferrer"' in page


def test_its_requests_and_figures_are_the_teams_own(as_owner, as_stranger, team, owner, server):
    row = make_request(
        team=team, person=owner, endpoint_id="acme/thing", input={"prompt": "my secret"}
    )
    TeamEndpoint.objects.create(team=team, endpoint_id="acme/thing", is_favourite=True)
    mine, theirs = text(as_owner.get(PAGE)), text(as_stranger.get(PAGE))
    assert f"/requests/{row.public_id}/" in mine
    assert 'aria-pressed="true"' in mine
    assert '<dt>Requests</dt><dd class="number">1</dd>' in mine
    assert "Not used yet." in theirs
    assert "my secret" not in theirs
    assert 'aria-pressed="false"' in theirs


def test_it_leads_to_a_new_request_and_to_its_rows(as_owner, as_viewer, server):
    page = text(as_owner.get(PAGE))
    assert 'href="/requests/new/?&endpoint=acme%2Fthing"' in page
    assert 'href="/requests/?q=endpoint%3Aacme%2Fthing"' in page
    page = text(as_viewer.get(PAGE))
    assert "/requests/new/?" not in page
    assert "hx-post" not in page.partition("<main")[2].partition("</main>")[0]


def test_a_change_of_its_fields_is_shown(as_owner, server):
    know(server)
    know(server, {"prompt": {"type": "string"}, "steps": PROPERTIES["steps"] | {"maximum": 4}})
    page = text(as_owner.get(PAGE))
    assert "The fields changed" in page
    assert "<code>size</code> was choice" in page
    assert "<code>steps</code> maximum: 8 → 4" in page


@pytest.fixture
def changed(server: DocumentServer, team: Team) -> Endpoint:
    TeamEndpoint.objects.create(team=team, endpoint_id="acme/thing", is_added=True)
    know(server)
    know(server, {"prompt": {"type": "string"}, "steps": PROPERTIES["steps"] | {"maximum": 4}})
    return Endpoint.objects.get()


NOTICE = (
    'The schema of <span class="mono">acme/thing</span> changed',
    "gone: box, size · narrowed: steps.",
)


@pytest.mark.parametrize("path", [PAGE, "/requests/new/fields/", "/requests/new/"])
def test_a_changed_schema_is_announced_until_its_reader_dismisses_it(
    as_owner, as_stranger, teammate, changed, path
):
    query = {"endpoint": "acme/thing"}
    page = text(as_owner.get(path, query))
    assert [words for words in NOTICE if words not in page] == []
    assert 'href="/endpoints/acme/thing/#endpoint-change"' in page
    assert NOTICE[0] not in text(as_stranger.get(path, query))
    form = {"endpoint_id": "acme/thing", "at": changed.changed_at.isoformat()}
    assert as_owner.post(SEEN, {**form, "next": "/presets/"})["Location"] == "/presets/"
    assert NOTICE[0] not in text(as_owner.get(path, query))
    as_owner.force_login(teammate)
    assert NOTICE[0] in text(as_owner.get(path, query))


def test_a_viewer_dismisses_a_notice_too_and_a_script_gets_nothing_back(as_viewer, changed):
    form = {"endpoint_id": "acme/thing", "at": changed.changed_at.isoformat()}
    reply = as_viewer.post(SEEN, form, headers={"HX-Request": "true"})
    assert (reply.status_code, reply.content) == (200, b"")
    assert NOTICE[0] not in text(as_viewer.get(PAGE))


@pytest.mark.parametrize(
    "form",
    [{}, {"endpoint_id": "x", "at": "2026-01-01"}, {"endpoint_id": "acme/thing", "at": "soon"},
     {"endpoint_id": "acme/thing\0", "at": "2026-01-01"}],
)  # fmt: skip
def test_what_is_no_change_is_not_dismissed(as_owner, form):
    assert as_owner.post(SEEN, form).status_code == 400


def test_presets_that_no_longer_fit_are_listed(as_owner, as_stranger, team, owner, server):
    know(server)
    for name, steps in (("calm", 2), ("wild", 8)):
        saving.save(
            team=team, person=owner, endpoint_id="acme/thing", name=name, now=timezone.now(),
            text=f'{{"prompt": "x", "steps": {steps}}}',
        )  # fmt: skip
    know(server, PROPERTIES | {"steps": PROPERTIES["steps"] | {"maximum": 4}})
    page = text(as_owner.get(PAGE))
    assert "Presets that no longer fit" in page
    assert "wild</a>" in page
    assert "No longer fits: field steps: Must be 4 or less" in page
    assert "calm</a>" not in page
    assert "Presets that no longer fit" not in text(as_stranger.get(PAGE))
    menu = text(as_owner.get("/presets/menu/", {"endpoint_id": "acme/thing"}))
    for page in (menu, text(as_owner.get("/presets/"))):
        assert page.count("No longer fits: field steps: Must be 4 or less") == 1
    wild = Preset.objects.get(name="wild")
    page = text(as_owner.get(f"/presets/{wild.public_id}/"))
    assert "<strong>No longer fits.</strong>" in page


DOCUMENT = whole({"In": {"type": "object", "properties": {"own": {"type": "string"}}}})
GIVEN = {"endpoint_id": "acme/thing", "document": json.dumps(DOCUMENT)}


def test_the_document_of_an_own_app_is_pasted_or_uploaded_and_fals_used_again(
    as_owner, as_stranger, as_viewer, server
):
    know(server)
    page = text(as_owner.get(PAGE))
    assert "Paste its openapi.json" in page
    assert "Paste its openapi.json" not in text(as_viewer.get(PAGE))
    assert as_owner.post(PASTE, GIVEN)["Location"] == PAGE
    page = text(as_owner.get(PAGE))
    assert "<code>own</code>" in page
    assert "Pasted by olga" in page
    assert "Use fal’s again" in page
    assert "Pasted by olga" in text(as_viewer.get(PAGE))
    assert "Use fal’s again" not in text(as_viewer.get(PAGE))
    assert "<code>steps</code>" in text(as_stranger.get(PAGE))
    form = text(as_owner.get("/requests/new/fields/", {"endpoint": "acme/thing"}))
    assert "From a schema pasted by olga" in form
    assert as_owner.post(DROP, {"endpoint_id": "acme/thing"})["Location"] == PAGE
    assert "<code>steps</code>" in text(as_owner.get(PAGE))
    file = SimpleUploadedFile("openapi.json", GIVEN["document"].encode())
    form = {"endpoint_id": "acme/thing", "file": file}
    reply = as_owner.post(PASTE, form, headers={"HX-Request": "true"})
    assert (reply.status_code, reply["HX-Redirect"]) == (204, PAGE)
    assert "<code>own</code>" in text(as_owner.get(PAGE))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Paste the document, or choose its file."),
        ({"document": "{ nonsense & <b>"}, "The schema is not JSON."),
        ({"document": '{"paths": {"/x": {"post": {}}}}'}, "It has: /x."),
        ({"document": "x" * 2**21 + "x"}, "2,097,152 are taken at most"),
        ({"file": SimpleUploadedFile("x.json", b"x" * 2**21 + b"x")}, "are taken at most"),
        ({"file": SimpleUploadedFile("x.json", b"")}, "empty"),
    ],
)
def test_a_refused_document_stays_typed_with_the_reason(as_owner, server, given, sentence):
    know(server)
    form = {"endpoint_id": "acme/thing", **given}
    reply = as_owner.post(PASTE, form)
    assert reply.status_code == 422
    page = text(reply)
    assert sentence in page
    if 0 < len(given.get("document", "")) < 100:
        assert given["document"] in page
    if "file" in given:
        given["file"].seek(0)
    reply = as_owner.post(PASTE, form, headers={"HX-Request": "true"})
    assert reply.status_code == 422
    assert text(reply) == f"<p>{reply_sentence(text(reply))}</p>"


def reply_sentence(html: str) -> str:
    return html.removeprefix("<p>").removesuffix("</p>")


@pytest.mark.parametrize("path", ["/endpoints/document/", "/endpoints/fals-document/"])
def test_a_viewer_changes_no_document_and_a_wrong_id_is_none(as_viewer, as_owner, server, path):
    assert as_viewer.post(path, GIVEN).status_code == 403
    assert as_owner.post(path, {**GIVEN, "endpoint_id": "x"}).status_code in (404, 422)
    assert as_owner.get(path).status_code in (404, 405)


@pytest.mark.parametrize(
    "path", ["acme", "acme/x/requests/1/status", "acme/th ing", "a%00/b", "acme//x", "../x"]
)
def test_what_is_no_id_has_no_page(as_owner, path, db):
    assert as_owner.get(f"/endpoints/{path}/").status_code == 404


def test_an_old_spelling_leads_to_the_usual_one(as_owner, server):
    assert as_owner.get("/endpoints/1234-app/")["Location"] == "/endpoints/1234/app/"


def test_what_fal_says_stays_text(as_owner, server):
    know(server, {HOSTILE: {"type": "string", "default": HOSTILE, "description": HOSTILE}})
    ModelCard.objects.create(
        endpoint_id="acme/thing",
        title=HOSTILE,
        category=HOSTILE[:80],
        description=HOSTILE,
        checked_at=timezone.now(),
    )
    assert HOSTILE not in as_owner.get(PAGE).content.decode()


def test_the_queries_do_not_grow_with_the_rows(
    as_owner: Any,
    team: Team,
    owner: User,
    server: DocumentServer,
    django_assert_max_num_queries: Any,
) -> None:
    know(server)
    for _ in range(12):
        make_request(team=team, person=owner, endpoint_id="acme/thing")
    with django_assert_max_num_queries(20):
        as_owner.get(PAGE)
