"""A forgotten password: what is asked, what is mailed, and that answers tell nothing of accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from dashboard.celery import app
from requests_app.models import AuditAct, AuditEntry
from requests_app.tasks import send_reset_link
from tests.builders import make_person

PASSWORD, NEW = "a long pass phrase", "another long pass phrase"
PATH = "/accounts/password/reset/"
MOST_MAILS, OF_NETWORK = 5, 30


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example"  # the test runner keeps what is sent


@pytest.fixture
def work() -> Iterator[Callable[[], list[list[str]]]]:
    """Do what the worker is asked for, and return it."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        queue.clear()

        def do() -> list[list[str]]:
            asked = []
            while queue.qsize():
                message = queue.get(timeout=20)
                message.ack()
                if message.headers["task"] == "requests_app.send_reset_link":
                    asked.append(message.payload[0])
                    send_reset_link(*message.payload[0])
            return asked

        yield do


@pytest.fixture
def boss(team: Any) -> User:
    """A member with a verified address."""
    user = make_person("boss", team=team)
    EmailAddress.objects.create(user=user, email="boss@example.org", verified=True, primary=True)
    return user


@pytest.fixture
def ask(django_capture_on_commit_callbacks: Any) -> Callable[..., Any]:
    """Ask for a link."""

    def post(address: str, network: str = "192.0.2.1") -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return Client().post(PATH, {"email": address}, REMOTE_ADDR=network)

    return post


def link_in(text: str) -> str:
    found = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", text)
    assert found
    return found[1]


def test_a_link_is_mailed_and_sets_the_password_once(boss: User, ask: Any, work: Any) -> None:
    assert ask("Boss@Example.org").status_code == 302
    assert mail.outbox == []  # the answer does not wait for it
    work()
    [sent] = mail.outbox
    assert sent.to == ["boss@example.org"] and sent.subject == "[Faldeck] A new password"
    assert AuditEntry.objects.get(act=AuditAct.RESET_MAILED).label == "boss"
    browser = Client()
    form = browser.get(link_in(str(sent.body)), follow=True)
    assert "Set the password" in form.text
    path = form.redirect_chain[-1][0]
    assert "set-password" in path  # the secret has left the address
    refused = browser.post(path, {"password1": "short", "password2": "short"})
    assert 'id="id_password1_error"' in refused.text
    done = browser.post(path, {"password1": NEW, "password2": NEW}, follow=True)
    assert "The password is set" in done.text
    boss.refresh_from_db()
    assert boss.check_password(NEW)
    again = Client().get(link_in(str(sent.body)), follow=True)
    assert "has been used, has expired" in again.text
    login = Client().post("/accounts/login/", {"login": "boss@example.org", "password": NEW})
    assert login.status_code == 302


def test_the_answer_and_its_work_are_the_same_for_an_address_that_is_not_known(
    boss: User, ask: Any, work: Any
) -> None:
    known, unknown = ask("boss@example.org"), ask("nobody@example.org")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert work() == [
        ["boss@example.org", "http://testserver"],
        ["nobody@example.org", "http://testserver"],
    ]
    assert [one.to for one in mail.outbox] == [["boss@example.org"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda user: EmailAddress.objects.update(verified=False),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: User.objects.filter(pk=user.pk).update(password="!none"),
    ],
    ids=["unverified", "switched off", "without a password"],
)
def test_nothing_is_sent_where_a_link_would_be_wrong(
    boss: User, ask: Any, work: Any, change: Any
) -> None:
    change(boss)
    ask("boss@example.org")
    assert work() and mail.outbox == []


def test_one_address_gets_few_mails_and_one_network_asks_for_few(
    boss: User, ask: Any, work: Any
) -> None:
    answers = [ask("boss@example.org", f"198.51.{n}.1").status_code for n in range(MOST_MAILS + 3)]
    assert answers == [302] * (MOST_MAILS + 3)  # which of them are sent is not told
    assert len(work()) == MOST_MAILS
    answers = [ask(f"p{number}@example.org").status_code for number in range(OF_NETWORK + 2)]
    assert answers == [302] * OF_NETWORK + [429] * 2
    refused = ask("x@example.org")
    assert int(refused["Retry-After"]) > 0
    assert (
        "Too many links were asked for." in refused.text and 'value="x@example.org"' in refused.text
    )


def test_a_log_in_ends_the_link_and_a_mail_server_that_is_away_breaks_nothing(
    boss: User, ask: Any, work: Any, settings: Any
) -> None:
    ask("boss@example.org")
    work()
    assert (
        Client().post("/accounts/login/", {"login": "boss", "password": PASSWORD}).status_code
        == 302
    )
    assert "has been used" in Client().get(link_in(str(mail.outbox[0].body)), follow=True).text
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    ask("boss@example.org")
    assert work()


def test_without_a_mail_server_the_page_says_who_makes_a_link(db: None, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    for answer in (Client().get(PATH), Client().post(PATH, {"email": "boss@example.org"})):
        assert answer.status_code == 200
        assert "Ask an owner or admin of your team for a reset link" in answer.text
        assert 'name="email"' not in answer.text
