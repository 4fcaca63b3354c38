"""How keys are stored, and their rotation."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from requests_app.keys import encryption, keeping, key_for, ring
from requests_app.keys.encryption import Undecryptable, decrypt, encrypt
from requests_app.models import FalKey, Team

SECRET = "id:canary-of-a-key"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []
    return tmp_path


def test_a_key_comes_back_for_its_team_alone() -> None:
    stored = encrypt(SECRET, team_id=1)
    assert "canary" not in stored
    assert decrypt(stored, team_id=1) == SECRET
    for wrong, team_id in ((stored, 2), (stored[:-5] + "AAAA=", 1), ("", 1)):
        with pytest.raises(Undecryptable):
            decrypt(wrong, team_id=team_id)


def test_the_file_is_made_once_for_its_owner_alone(folder: Path) -> None:
    encrypt(SECRET, team_id=1)
    file = folder / "encryption_keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    encrypt(SECRET, team_id=1)
    assert file.read_text() == before and len(before) > 40


def test_secrets_of_the_environment_count_more_and_all_of_them_open(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = ["old secret"]
    stored = encrypt(SECRET, team_id=1)
    settings.ENCRYPTION_KEYS = ["new secret", "old secret"]
    assert decrypt(stored, team_id=1) == SECRET and not encryption.is_of_first(stored)
    settings.ENCRYPTION_KEYS = ["new secret"]
    with pytest.raises(Undecryptable):
        decrypt(stored, team_id=1)


@pytest.mark.django_db
def test_a_rotation_makes_a_new_secret_and_drops_the_old(
    team: Team, owner: User, folder: Path, capsys: Any
) -> None:
    keeping.add(team, name="one", pattern="", secret=SECRET, by=owner, now=timezone.now())
    before, stored = encryption.secrets_now(), FalKey.objects.get().encrypted
    call_command("rotate_encryption_key")
    assert "1 key is encrypted" in capsys.readouterr().out
    after = encryption.secrets_now()
    assert len(after) == 1 and after != before
    assert stat.S_IMODE((folder / "encryption_keys").stat().st_mode) == 0o600
    assert FalKey.objects.get().encrypted != stored
    ring.forget()
    assert key_for(team.pk).secret == SECRET


@pytest.mark.django_db
def test_a_rotation_that_cannot_open_a_key_keeps_every_secret(team: Team, owner: User) -> None:
    row = keeping.add(team, name="one", pattern="", secret=SECRET, by=owner, now=timezone.now())
    FalKey.objects.filter(pk=row.pk).update(encrypted="gAAAAA-not-ours")
    old = encryption.secrets_now()
    with pytest.raises(CommandError, match="all secrets are kept"):
        call_command("rotate_encryption_key")
    assert set(old) < set(encryption.secrets_now())
