"""An account's e-mail address: given, verified, used for logging in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from requests_app.accounts.finding import find_account
from requests_app.models import AuditAct, AuditEntry
from tests.builders import make_person

PASSWORD = "a long pass phrase"
PATH = "/accounts/email/"


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example"


def add(browser: Client, address: str) -> Any:
    return browser.post(PATH, {"email": address, "action_add": ""}, follow=True)


def link_in(text: str) -> str:
    found = re.search(r"http://testserver(/accounts/confirm-email/\S+)", text)
    assert found
    return found[1]


def test_an_address_counts_once_it_is_verified(as_owner: Client, owner: User) -> None:
    assert "olga@example.org" in add(as_owner, "Olga@example.org").text
    assert find_account("olga@example.org") is None
    page = as_owner.get(link_in(str(mail.outbox[0].body)))
    assert "Yes, verify" in page.text and find_account("olga@example.org") is None
    done = as_owner.post(link_in(str(mail.outbox[0].body)), follow=True)
    assert done.redirect_chain == [("/accounts/", 302)] and "You have confirmed" in done.text
    assert "has been used, has expired" in as_owner.get(link_in(str(mail.outbox[0].body))).text
    assert find_account(" OLGA@example.org") == owner
    assert AuditEntry.objects.get(act=AuditAct.EMAIL_CHANGED).label == "olga"
    assert "olga@example.org" in as_owner.get("/accounts/").text
    form = {"login": "olga@example.org", "password": PASSWORD}
    assert Client().post("/accounts/login/", form).status_code == 302


def test_another_address_replaces_the_first_when_it_is_verified(
    as_owner: Client, owner: User
) -> None:
    EmailAddress.objects.create(user=owner, email="old@example.org", verified=True, primary=True)
    add(as_owner, "new@example.org")
    assert find_account("old@example.org") == owner
    as_owner.post(link_in(str(mail.outbox[0].body)))
    assert find_account("old@example.org") is None
    assert find_account("new@example.org") == owner
    assert mail.outbox[-1].to == ["old@example.org"]  # is told


def test_who_has_an_address_is_not_told_and_cannot_lose_it(as_owner: Client, owner: User) -> None:
    tom = make_person("tom")
    EmailAddress.objects.create(user=tom, email="tom@example.org", verified=True, primary=True)
    taken, free = add(as_owner, "tom@example.org"), add(as_owner, "free@example.org")
    assert taken.text.count("tom@example.org") == free.text.count("free@example.org")
    refused = as_owner.post(link_in(str(mail.outbox[0].body)))
    assert refused.status_code in (200, 404) and find_account("tom@example.org") == tom
    make_person("tom@example.org")  # a name that looks like the address
    assert find_account("tom@example.org") == tom


def test_mails_to_verify_are_counted_and_bad_addresses_are_kept_in_the_form(
    as_owner: Client,
) -> None:
    bad = add(as_owner, "no address")
    assert bad.status_code == 200 and 'value="no address"' in bad.text
    answers = [add(as_owner, f"p{number}@example.org").status_code for number in range(11)]
    assert answers[-1] == 429 and len(mail.outbox) < 11


def test_without_a_mail_server_no_address_can_be_given(as_owner: Client, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    for answer in (as_owner.get(PATH), add(as_owner, "olga@example.org")):
        assert "this installation sends none" in answer.text
    assert not EmailAddress.objects.exists()
    assert Client().get(PATH).status_code == 302
