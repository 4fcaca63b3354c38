"""Presets are saved as versions, restored, renamed and bounded."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from requests_app.models import Preset, Use
from requests_app.presets import saving


@pytest.fixture
def save(team, owner) -> Any:
    def act(text: str = "{}", name: str = "sunset", **values: Any) -> tuple[Preset, bool]:
        usual = {"team": team, "person": owner, "endpoint_id": "acme/img", "now": timezone.now()}
        return saving.save(name=name, text=text, **usual | values)

    return act


def test_each_save_is_a_version_and_the_newest_is_the_preset(save, teammate):
    first, is_new = save('{"a": 1}')
    assert is_new
    second, is_new = save('{"a": 2}', person=teammate, mode="run", options={"priority": "low"})
    assert (second.pk, is_new, second.version) == (first.pk, False, 2)
    again = Preset.objects.get()
    assert (again.text, again.mode, again.options) == ('{"a": 2}', "run", {"priority": "low"})
    [earlier] = again.versions.all()
    assert (earlier.number, earlier.text, earlier.mode) == (1, '{"a": 1}', "queue")
    assert earlier.saved_by == first.saved_by != again.saved_by


def test_saving_the_same_makes_no_version(save):
    save('{"a": 1}')
    preset, _ = save('{"a": 1}')
    assert preset.version == 1
    assert not preset.versions.exists()


def test_a_restored_version_is_a_version_of_its_own(save, teammate):
    save('{"a": 1}')
    preset, _ = save('{"a": 2}')
    saving.restore(preset, preset.versions.get(), person=teammate, now=timezone.now())
    preset.refresh_from_db()
    assert (preset.version, preset.text, preset.saved_by) == (3, '{"a": 1}', teammate)
    assert [one.text for one in preset.versions.all()] == ['{"a": 2}', '{"a": 1}']


def test_a_preset_that_was_deleted_meanwhile_is_not_restored(save, owner):
    save('{"a": 1}')
    preset, _ = save('{"a": 2}')
    version = preset.versions.get()
    saving.delete(Preset.objects.get())
    assert not saving.restore(preset, version, person=owner, now=timezone.now())
    assert not Preset.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_saves_of_a_new_name_at_once_the_second_is_the_next_version(save, monkeypatch):
    both, create = threading.Barrier(2), type(Preset.objects).create

    def create_together(manager: Any, **values: Any) -> Preset:
        with suppress(threading.BrokenBarrierError):  # SQLite lets one in at a time
            both.wait(1)
        return create(manager, **values)

    monkeypatch.setattr(type(Preset.objects), "create", create_together)
    made = []

    def run(text: str) -> None:
        try:
            made.append(save(text)[1])
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[f'{{"a": {n}}}']) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, True]
    assert Preset.objects.get().version == 2


def test_the_oldest_versions_go(save, monkeypatch):
    monkeypatch.setattr(saving, "MOST_VERSIONS", 2)
    for number in range(5):
        preset, _ = save(f'{{"a": {number}}}')
    assert [one.number for one in preset.versions.all()] == [4, 3]


def test_one_name_may_be_used_for_another_endpoint_use_and_team(save, stranger):
    other = stranger.memberships.get().team
    made = [save(), save(endpoint_id="acme/b"), save(use=Use.MESSAGE), save(team=other)]
    assert all(is_new for _, is_new in made)


def test_a_full_shelf_takes_no_new_name_and_still_saves_versions(save, monkeypatch):
    monkeypatch.setattr(saving, "MOST_PRESETS", 1)
    save()
    with pytest.raises(saving.PresetRefused, match="delete one first"):
        save(name="second")
    assert save('{"a": 2}')[0].version == 2


def test_a_taken_name_is_refused_and_the_preset_keeps_its_own(save):
    save(name="taken")
    preset, _ = save()
    with pytest.raises(saving.PresetRefused, match="taken"):
        saving.rename(preset, "taken")
    preset.refresh_from_db()
    assert preset.name == "sunset"
    saving.rename(preset, "dusk")
    preset.refresh_from_db()
    assert preset.name == "dusk"


def test_a_long_text_is_refused(save, monkeypatch):
    monkeypatch.setattr(saving, "MOST_CHARACTERS", 1024)
    with pytest.raises(saving.PresetRefused, match="1 k"):
        save(f'{{"a": "{"x" * 1024}"}}')
