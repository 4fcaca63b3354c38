"""What an open page asks when its log-in may have changed."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from tests.browsers import Browser

URL = reverse("requests:session")


def test_it_names_the_person_and_gives_a_token_that_works(owner, team):
    client = Browser(enforce_csrf_checks=True)
    client.force_login(owner)
    said = client.get(URL).json()
    assert (said["user"], said["name"]) == (owner.pk, owner.get_username())
    refused = client.post(reverse("requests:new"), {}, headers={"HX-Request": "true"})
    assert (refused.status_code, refused["X-Refusal"]) == (403, "csrf")
    taken = client.post(
        reverse("requests:new"), {}, headers={"HX-Request": "true", "X-CSRFToken": said["csrf"]}
    )
    assert taken.status_code == 422  # the form itself is empty


def test_it_is_401_to_nobody_and_is_never_kept(owner):
    nobody = Client().get(URL)
    assert (nobody.status_code, nobody["X-Refusal"]) == (401, "login")
    assert "csrf" not in nobody.json()
    client = Client()
    client.force_login(owner)
    for answer in (nobody, client.get(URL)):
        assert "no-store" in answer["Cache-Control"]


def test_only_a_read_is_taken(owner):
    client = Browser()
    client.force_login(owner)
    assert client.post(URL).status_code == 405


def test_the_page_behind_a_log_in_beside_another_tab_says_what_to_do(owner, team):
    client = Client()
    client.force_login(owner)
    assert (
        "go on in the other one" in client.get(reverse("requests:logged_in_again")).content.decode()
    )
