from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from requests_app.models import AccountName, AuditAct, AuditEntry

pytestmark = pytest.mark.django_db


def create(name: str) -> None:
    call_command(
        "createsuperuser", "--noinput", "--username", name, "--email", "a@b.example",
        stdout=StringIO(),
    )  # fmt: skip


def test_it_makes_a_user_whose_name_is_taken_then() -> None:
    create("Boss")
    assert User.objects.get().is_superuser
    assert AccountName.objects.get().key == "boss"
    noted = AuditEntry.objects.get()
    assert (noted.act, noted.label, noted.details) == (
        AuditAct.ACCOUNT_MADE, "Boss", '{"how":"command"}',
    )  # fmt: skip


@pytest.mark.parametrize("name", ["boss", "BOSS", "ｂｏｓｓ", "Boss"])
def test_another_spelling_of_a_name_is_refused_in_a_sentence(name: str) -> None:
    create("Boss")
    with pytest.raises(CommandError, match="taken"):
        create(name)
    assert User.objects.count() == 1


def test_a_name_of_two_alphabets_is_refused_in_a_sentence() -> None:
    with pytest.raises(CommandError, match="Use one alphabet"):
        create("аdmin")
