"""The page of own apps: where each is, whether it answers, and what of the team waits for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app.localqueue import apps
from requests_app.models import FalRequest, LocalJob, Role, Team
from tests.builders import make_person, make_queued
from tests.catalogue.conftest import DocumentServer
from tests.catalogue.conftest import server as server

pytestmark = pytest.mark.django_db

PAGE, CHECK = reverse("requests:own_apps"), reverse("requests:check_own_app")
APP = "acme/workshop"
OTHER_SITE = "http://127.0.0.1:1"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """No answer of an earlier test."""
    cache.clear()


def waiting(team: Team, person: User, path: str = "", **values: Any) -> FalRequest:
    """A request of the team that is in the queue of the app."""
    job = LocalJob.objects.create(
        app=APP, path=path, body=b"{}", accepted_at=timezone.now(), due_at=timezone.now(), **values
    )
    endpoint = f"{APP}/{path}" if path else APP
    row = make_queued(team=team, person=person, endpoint_id=endpoint)
    FalRequest.objects.filter(pk=row.pk).update(fal_request_id=str(job.request_id))
    return row


def test_without_an_app_it_says_how_to_run_and_name_one(as_viewer: Client, settings: Any) -> None:
    settings.LOCAL_APPS = {}
    shown = as_viewer.get(PAGE).content.decode()
    for words in ("No own app yet", "fal run --local app.py::MyApp", "LOCAL_APPS=&quot;", "Copy"):
        assert words.replace("&quot;", '"') in shown
    assert "Check" not in shown


def test_a_viewer_sees_each_app_with_its_address_and_links(
    as_viewer: Client, as_owner: Client, settings: Any
) -> None:
    settings.LOCAL_APPS = {
        APP: LocalApp(APP, OTHER_SITE, at_once=3),
        "acme/other": LocalApp("acme/other", "http://10.0.0.7:8081/mounted"),
    }
    shown = as_viewer.get(PAGE).content.decode()
    for words in (APP, OTHER_SITE, "http://10.0.0.7:8081/mounted", "3 requests at a time"):
        assert words in shown
    assert shown.count("Not checked yet") == 2
    assert "q=endpoint%3Aacme%2Fworkshop%2Cacme%2Fworkshop%2F%2A" in shown
    form = f"{reverse('requests:new')}?&amp;endpoint=acme%2Fworkshop"
    assert (form in shown, form in as_owner.get(PAGE).content.decode()) == (False, True)


def test_the_queue_has_the_teams_own_requests_in_their_order_and_only_the_number_of_others(
    as_owner: Client, owner: User, team: Team, settings: Any
) -> None:
    settings.LOCAL_APPS = {APP: LocalApp(APP, OTHER_SITE)}
    rivals = Team.objects.create(name="Rivals")
    rival = make_person("rita", team=rivals, role=Role.OWNER)
    at_work = waiting(team, owner, slot=0)
    foreign = waiting(rivals, rival, "secret-path")
    low = waiting(team, owner, "later", is_low=True)
    second = waiting(team, owner, "sooner")
    state = apps.state_of(settings.LOCAL_APPS[APP], team)
    assert [(job.row.pk, job.ahead) for job in state.open_jobs] == [
        (at_work.pk, None), (second.pk, 1), (low.pk, 2),
    ]  # fmt: skip
    assert (state.waiting, state.at_work, state.others) == (3, 1, 1)
    shown = as_owner.get(PAGE).content.decode()
    for words in ("in progress", "1 ahead", "2 ahead", f"/requests/{low.public_id}/", "1 more, of"):
        assert words in shown
    for words in ("secret-path", str(foreign.public_id), "rita"):
        assert words not in shown


def test_a_check_asks_the_app_once_and_its_answer_stays_on_the_page(
    as_viewer: Client, server: DocumentServer, settings: Any
) -> None:
    settings.FAL_KEY = "id:secret"
    settings.LOCAL_APPS = {APP: LocalApp(APP, f"{server.url}/mounted")}
    for _ in range(2):  # a second press in the same moment asks for nothing
        told = as_viewer.post(CHECK, {"app": APP}, headers=HTMX).content.decode()
        assert "Answers" in told
        assert "<html" not in told
    [(path, headers)] = server.asked
    assert path == "/mounted/health"
    assert "authorization" not in headers
    assert "cookie" not in headers
    assert "Answers" in as_viewer.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("status", "wait_s", "words"),
    [
        (404, 0, "with HTTP\n    404"),
        (302, 0, "with HTTP\n    302"),
        (200, 1, "It did not answer within 0.2 s."),
    ],
)
def test_any_answer_in_time_counts(
    as_owner: Client, server: DocumentServer, settings: Any, monkeypatch: pytest.MonkeyPatch,
    status: int, wait_s: float, words: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(apps, "STEP_S", 0.2)
    server.status, server.wait_s = status, wait_s
    settings.LOCAL_APPS = {APP: LocalApp(APP, server.url)}
    told = as_owner.post(CHECK, {"app": APP}, headers=HTMX).content.decode()
    assert words in told
    assert ("Does not answer" in told) is bool(wait_s)


def test_an_app_that_is_away_is_told_also_without_scripts(as_owner: Client, settings: Any) -> None:
    settings.LOCAL_APPS = {APP: LocalApp(APP, OTHER_SITE)}
    shown = as_owner.post(CHECK, {"app": APP}, follow=True).content.decode()
    assert f"{APP} does not answer. Nothing listens at this address" in shown
    assert shown.count("Does not answer") == 1


@pytest.mark.parametrize("name", ["", "acme/nothing", "http://10.0.0.1/"])
def test_only_what_the_settings_name_is_asked(
    as_owner: Client, server: DocumentServer, settings: Any, name: str
) -> None:
    settings.LOCAL_APPS = {APP: LocalApp(APP, server.url)}
    assert as_owner.post(CHECK, {"app": name}).status_code == 400
    assert server.asked == []
