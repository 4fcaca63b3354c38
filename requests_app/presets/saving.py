"""Save, restore, rename and delete presets: the one writer of them and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app.models import Mode, Preset, PresetVersion, Team, Use

MOST_PRESETS = 200  # per team, endpoint and use
MOST_VERSIONS = 100  # earlier ones of a preset; the oldest go
MOST_CHARACTERS = 256 * 1024


class PresetRefused(ValueError):
    """The preset cannot be saved so; the message is a sentence."""


def save(
    *,
    team: Team,
    person: AbstractBaseUser,
    endpoint_id: str,
    name: str,
    text: str,
    now: datetime,
    use: str = Use.INPUT,
    mode: str = Mode.QUEUE,
    options: dict[str, Any] | None = None,
) -> tuple[Preset, bool]:
    """Save under this name: a new preset (True), or the next version of the one that has it.

    Saving what is saved already makes no version. Raises PresetRefused.
    """
    if len(text) > MOST_CHARACTERS:
        raise PresetRefused(f"A preset has at most {MOST_CHARACTERS // 1024} k characters.")
    content = {"text": text, "mode": mode, "options": options or {}}
    place = {"team": team, "endpoint_id": endpoint_id, "use": use}
    try:
        return _put(place, name, content, person, now)
    except (
        IntegrityError
    ):  # another save of the same new name was first: this one is its next version
        return _put(place, name, content, person, now)


def _put(
    place: dict[str, Any],
    name: str,
    content: dict[str, Any],
    person: AbstractBaseUser,
    now: datetime,
) -> tuple[Preset, bool]:
    shelf = Preset.objects.filter(**place)
    with transaction.atomic():
        found = shelf.select_for_update().filter(name=name).first()
        if found is not None:
            _renew(found, content, person, now)
            return found, False
        if shelf.count() >= MOST_PRESETS:
            raise PresetRefused(f"There are {MOST_PRESETS} already: delete one first.")
        new = {**place, **content, "name": name, "saved_at": now, "saved_by_id": person.pk}
        return Preset.objects.create(**new), True


def restore(
    preset: Preset, version: PresetVersion, *, person: AbstractBaseUser, now: datetime
) -> bool:
    """Make an earlier version the newest again, as a version of its own; False if the preset was deleted."""
    content = {"text": version.text, "mode": version.mode, "options": version.options}
    with transaction.atomic():
        found = Preset.objects.select_for_update().filter(pk=preset.pk).first()
        if found is not None:
            _renew(found, content, person, now)
    return found is not None


def _renew(
    preset: Preset, content: dict[str, Any], person: AbstractBaseUser, now: datetime
) -> None:
    """Keep the present content as a version and take the new one. The row is locked."""
    before = {name: getattr(preset, name) for name in content}
    if content == before:
        return
    PresetVersion.objects.create(
        preset=preset,
        number=preset.version,
        saved_by_id=preset.saved_by_id,
        saved_at=preset.saved_at,
        **before,
    )
    preset.versions.filter(number__lte=preset.version - MOST_VERSIONS).delete()
    preset.version += 1
    preset.saved_by_id, preset.saved_at = person.pk, now
    for name, value in content.items():
        setattr(preset, name, value)
    preset.save()


def rename(preset: Preset, name: str) -> None:
    """Give it another name; its versions stay. Raises PresetRefused when another preset has the name."""
    try:
        with transaction.atomic():
            Preset.objects.filter(pk=preset.pk).update(name=name)
    except IntegrityError:
        raise PresetRefused(f"There is a preset “{name}” for this endpoint already.") from None


def delete(preset: Preset) -> None:
    """Delete it with its versions."""
    Preset.objects.filter(pk=preset.pk).delete()
