"""Users are found by any spelling of their name, and two of them never share one."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from requests_app.models import Account, AccountName, NameTaken

SPELLINGS = ["boss", "Boss", "BOSS", "ｂｏｓｓ", "bo\u00adss"]


def made(name: str) -> Account:
    return Account.objects.create_user(name, password="a long pass phrase")


@pytest.mark.parametrize("name", [*SPELLINGS, "bоss"])
def test_any_spelling_finds_the_user(db: None, name: str) -> None:
    boss = made("Boss")
    made("bossy")
    assert Account.objects.find(name) == User.objects.get(pk=boss.pk)


@pytest.mark.parametrize("name", [name for name in SPELLINGS if name != "Boss"])
def test_another_spelling_of_a_name_is_refused_and_nothing_is_stored(db: None, name: str) -> None:
    made("Boss")
    with pytest.raises(NameTaken, match="taken"):
        made(name)
    assert Account.objects.is_taken(name)
    assert User.objects.count() == 1
    assert AccountName.objects.count() == 1


@pytest.mark.parametrize("name", ["соса", "СОСА"])
def test_a_name_that_looks_like_one_in_another_script_is_refused(db: None, name: str) -> None:
    made("coca")
    with pytest.raises(NameTaken):
        made(name)


def test_a_name_of_two_scripts_is_refused_although_it_is_free(db: None) -> None:
    with pytest.raises(ValidationError, match="Use one alphabet"):
        made("аdmin")
    assert not User.objects.exists()


def test_a_name_that_looks_like_two_others_leads_to_its_own_user(db: None) -> None:
    """Greek capitals may look like one Latin name, its small letters like another."""
    greek = User.objects.create(username="ΑΝΝΑ")
    assert Account.objects.find("αννα") == greek
    assert Account.objects.find("anna") == greek


def test_a_rename_frees_the_old_name_and_takes_the_new_one(db: None) -> None:
    one, other = made("boss"), made("chief")
    one.username = "Chief"
    with pytest.raises(NameTaken):
        one.save()
    assert Account.objects.find("boss") == User.objects.get(pk=one.pk)
    one.username = "leader"
    one.save()
    assert Account.objects.find("LEADER") == User.objects.get(pk=one.pk)
    other.username = "Boss"
    other.save()
    assert Account.objects.find("boss") == User.objects.get(pk=other.pk)


def test_a_user_who_was_made_past_the_accounts_is_found_too(db: None) -> None:
    user = User.objects.create_user("École")
    assert Account.objects.find("école") == user
    user.username = "Lycée"
    user.save()
    assert Account.objects.find("LYCÉE") == user
    assert Account.objects.find("école") is None


def test_the_users_table_itself_refuses_another_case(db: None) -> None:
    User.objects.create_user("boss")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("BOSS")


def test_who_comes_second_past_the_accounts_is_told_and_does_not_shut_out_the_first(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    first = User.objects.create_user("coca")
    second = User.objects.create_user("соса")
    assert Account.objects.find("coca") == first
    assert Account.objects.find("соса") == first
    assert f"(id {second.pk}) cannot log in" in caplog.text


def test_a_name_is_free_again_when_its_user_is_gone(db: None) -> None:
    made("boss").delete()
    made("Boss")


def test_a_save_that_leaves_the_name_alone_needs_no_new_one(db: None) -> None:
    old = User.objects.create_user("аdmin")  # as before there was a rule
    Account.objects.find("admin")
    account = Account.objects.get(pk=old.pk)
    account.first_name = "Ada"
    account.save()
    assert User.objects.get(pk=old.pk).first_name == "Ada"


@pytest.mark.django_db(transaction=True)
def test_of_many_spellings_at_once_one_is_taken() -> None:
    answers: list[str] = []
    gate = threading.Barrier(len(SPELLINGS))

    def come(name: str) -> None:
        gate.wait()
        try:
            made(name)
            answers.append("made")
        except NameTaken:
            answers.append("taken")
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=[name]) for name in SPELLINGS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["made", *["taken"] * (len(SPELLINGS) - 1)]
    assert User.objects.count() == 1
