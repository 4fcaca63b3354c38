"""What somebody sees when something is wrong."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory

from requests_app.models import Team
from requests_app.views import errors
from tests.builders import make_request


def test_a_wrong_address_is_answered_in_words(client: Client) -> None:
    response = client.get("/there/is/no/such/page/")
    assert response.status_code == 404
    assert "Page not found" in response.text


def test_a_foreign_request_and_an_unknown_one_answer_with_the_same_bytes(
    as_stranger: Client, team: Team, owner: User
) -> None:
    foreign = make_request(team=team, person=owner)
    answers = [as_stranger.get(f"/requests/{name}/") for name in (foreign.public_id, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_programs_get_the_same_words_as_json(client: Client) -> None:
    for response in (
        client.get("/nowhere/", headers={"Accept": "application/json"}),
        client.get("/api/nowhere"),
    ):
        assert response.status_code == 404
        assert "Page not found" in response.json()["detail"]


def test_a_form_without_its_token_is_refused_in_words(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    response = client.post("/team/", {"team": "1"})
    assert response.status_code == 403
    assert "This form is out of date" in response.text
    assert "CSRF" not in response.text


@pytest.mark.parametrize(
    ("headers", "cause", "words"),
    [
        ({}, "csrf", "This form is out of date"),
        ({"X-CSRFToken": "x" * 64}, "csrf", "This form is out of date"),
        ({"Origin": "https://evil.example"}, "origin", "from another address"),
        ({"Origin": "null"}, "origin", "from another address"),
    ],
)
@pytest.mark.parametrize("is_script", [True, False])
def test_a_403_has_the_sentence_of_its_cause(
    headers: dict[str, str], cause: str, words: str, is_script: bool, owner: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    client.get("/accounts/password/change/")  # leaves the cookie
    response = client.post(
        "/team/", {"team": "1"}, headers=headers | ({"HX-Request": "true"} if is_script else {})
    )
    assert (response.status_code, response["X-Refusal"]) == (403, cause)
    said = response.json()["detail"] if is_script else response.text
    assert words in said


def test_a_browser_without_cookies_is_told_so() -> None:
    response = Client(enforce_csrf_checks=True).post("/team/", {"team": "1"})
    assert (response.status_code, response["X-Refusal"]) == (403, "cookie")
    assert "Allow cookies" in response.text


def test_what_a_role_forbids_is_said_of_the_role(as_viewer: Client) -> None:
    response = as_viewer.post("/requests/new/", {}, headers={"HX-Request": "true"})
    assert (response.status_code, response["X-Refusal"]) == (403, "role")
    assert "Your role in this team" in response.json()["detail"]


def test_a_broken_view_shows_no_inside(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> HttpResponse:
        raise RuntimeError("a secret detail")

    client.raise_request_exception = False
    monkeypatch.setattr("django.views.generic.RedirectView.dispatch", broken)
    response = client.get("/")
    assert response.status_code == 500
    assert "Something went wrong" in response.text
    assert "secret detail" not in response.text
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("handler", "status"),
    [
        (errors.bad_request, 400),
        (errors.permission_denied, 403),
        (errors.page_not_found, 404),
        (errors.server_error, 500),
        (errors.csrf_failure, 403),
    ],
)
def test_error_pages_need_no_database_and_no_session(handler: object, status: int) -> None:
    response = handler(RequestFactory().get("/"))  # type: ignore[operator]
    assert response.status_code == status
    assert f">{status}<" in response.text
    assert 'href="/"' in response.text
