"""Sign-up: closed by default; open, it lets new people in by mail and tells strangers nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from requests_app import announce
from requests_app.models import Account, AuditAct, AuditEntry, GuessCounter
from requests_app.tasks import send_sign_up_link
from tests.builders import make_person

ASK = "/accounts/signup/"
CHOSEN = {"username": "nina", "password": "a long pass phrase"}


@pytest.fixture(autouse=True)
def is_open(db: None, settings: Any) -> None:
    settings.SIGNUP, settings.EMAIL_HOST = "OPEN", "mail.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def asked(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> Iterator[Any]:
    """asked(address): the answer of the page; the worker has sent what there was to send."""
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        announce.celery_app, "send_task", lambda name, args, **more: sent.append((name, *args))
    )

    def ask(address: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            reply = Client().post(ASK, {"email": address})
        while sent:
            name, *args = sent.pop()
            assert name == send_sign_up_link.name
            send_sign_up_link(*args)
        return reply

    yield ask


def link_in(text: str) -> str:
    found = re.search(r"http://testserver(/accounts/signup/\S+)", text)
    assert found, text
    return found[1]


def test_it_is_closed_unless_it_is_opened(settings: Any) -> None:
    settings.SIGNUP = "CLOSED"
    for path in (ASK, f"{ASK}x/"):
        assert Client().get(path).status_code == 404
        assert Client().post(path, {"email": "a@corp.example"}).status_code == 404
    assert ASK not in Client().get("/accounts/login/").text
    settings.SIGNUP = "OPEN"
    assert ASK in Client().get("/accounts/login/").text


def test_a_new_user_comes_in_by_the_link_once_and_has_no_team(asked: Any) -> None:
    asked("Nina@Corp.example")
    link = link_in(mail.outbox[0].body)
    client = Client()
    assert "nina@corp.example" in client.get(link).text
    assert client.post(link, {**CHOSEN, "password": "short"}).status_code == 422
    assert client.post(link, CHOSEN).status_code == 302
    user = User.objects.get(username="nina")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert EmailAddress.objects.get(user=user).email == "nina@corp.example"
    made = AuditEntry.objects.get(act=AuditAct.ACCOUNT_MADE)
    assert (made.chain, made.actor, made.details) == (0, "nina", '{"how":"sign-up"}')
    assert client.get("/requests/").status_code == 403
    again = Client().post(link, {**CHOSEN, "username": "eve"})
    assert again.status_code == 404 and "This link is over" in again.text
    assert User.objects.count() == 1


def test_the_page_answers_alike_for_an_address_that_has_an_account(asked: Any) -> None:
    EmailAddress.objects.create(user=make_person("olga"), email="olga@x.example", verified=True)
    known, unknown = asked("olga@x.example"), asked("nina@x.example")
    assert known.status_code == unknown.status_code == 200
    # The form's token and the server's time are different in each answer.
    said = [re.sub(r"[A-Za-z0-9]{60,}|20[\d-]+T[\d:.]+", "", one.text) for one in (known, unknown)]
    assert said[0].splitlines() == said[1].splitlines()
    assert "has one already: olga" in mail.outbox[0].body and ASK not in mail.outbox[0].body
    assert link_in(mail.outbox[1].body)


def test_only_chosen_domains_sign_up(asked: Any, settings: Any) -> None:
    asked("nina@other.example")
    early = link_in(mail.outbox[0].body)
    settings.SIGNUP_DOMAINS = ["corp.example"]
    for address in ("a@other.example", "a@sub.corp.example", "a@corp.example.evil.example"):
        reply = asked(address)
        assert reply.status_code == 422 and "Addresses of corp.example alone" in reply.text
    assert Client().post(early, CHOSEN).status_code == 404
    assert asked("nina@CORP.example").status_code == 200
    assert len(mail.outbox) == 2 and not User.objects.exists()


def test_mails_are_few_for_an_address_and_questions_for_a_network(asked: Any) -> None:
    assert {asked("nina@x.example").status_code for _ in range(8)} == {200}
    assert len(mail.outbox) == 5
    for number in range(22):
        assert asked(f"n{number}@x.example").status_code == 200
    refused = asked("last@x.example")
    assert refused.status_code == 429 and "Too many links" in refused.text
    assert "last@x.example" in refused.text  # what was typed is kept


def test_a_link_tells_of_few_names_that_they_are_taken(asked: Any) -> None:
    make_person("boss")
    asked("nina@x.example")
    link = link_in(mail.outbox[0].body)
    for name in ("boss", "BOSS", "b\u043ess", "bo\u200bss", "boss"):
        reply = Client().post(link, {**CHOSEN, "username": name})
        assert reply.status_code == 422
    GuessCounter.objects.filter(kind="names").update(guesses=[2e9] * 5)
    for name in ("boss", "free"):
        reply = Client().post(link, {**CHOSEN, "username": name})
        assert reply.status_code == 422 and "Too many names" in reply.text
        assert "is taken" not in reply.text
    assert Account.objects.count() == 1


@pytest.mark.parametrize("bad", ["x", "a:b:c", "\u0661", "x" * 3000])
def test_a_link_that_is_none_of_ours_is_over(bad: str) -> None:
    assert Client().get(f"{ASK}{bad}/").status_code == 404
    assert Client().post(f"{ASK}{bad}/", CHOSEN).status_code == 404
