from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from requests_app.models import Account

pytestmark = pytest.mark.django_db


def rename(old: str, new: str) -> str:
    out = StringIO()
    call_command("rename_user", old, new, stdout=out)
    return out.getvalue()


def test_the_same_person_is_found_under_the_new_name_alone() -> None:
    user = User.objects.create_user("boss-2")
    assert "boss-2 is Chief now" in rename("boss-2", "Chief")
    assert Account.objects.find("chief") == user
    assert Account.objects.find("boss-2") is None


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("nobody", "x", "There is no user 'nobody'"),
        ("ann", "BOSS", "taken"),
        ("ann", "аnn", "Use one alphabet"),
        ("ann", "with space", "valid username"),
        ("ann", "", "cannot be blank"),
        ("ann", "x" * 151, "at most 150"),
    ],
)
def test_it_refuses_in_a_sentence_and_changes_nothing(old: str, new: str, sentence: str) -> None:
    for name in ("ann", "boss"):
        User.objects.create_user(name)
    with pytest.raises(CommandError, match=sentence):
        rename(old, new)
    assert set(User.objects.values_list("username", flat=True)) == {"ann", "boss"}


def test_a_name_may_change_its_case() -> None:
    User.objects.create_user("ann")
    rename("ann", "Ann")
    assert User.objects.get().username == "Ann"
