from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from requests_app.models import FalRequest, Team
from tests.builders import make_request

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_says_what_a_person_has_to_look_at(
    settings: Any, team: Team, owner: User, tmp_path: Path
) -> None:
    settings.DATA_DIR, settings.SANDBOX = tmp_path, False
    make_request(team=team, person=owner)
    file, out = str(tmp_path / "a.backup"), StringIO()
    call_command("backup", file, stdout=StringIO())
    FalRequest.objects.all().delete()
    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", file)
    call_command("restore", file, "--replace", stdout=out)
    assert "1 requests are back" in out.getvalue()
    assert "1 of them waited to be sent. They are uncertain now" in out.getvalue()
    assert "set SECRET_KEY" in out.getvalue()


def test_a_file_that_is_not_there_is_a_sentence(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"The restore failed: .*nowhere"):
        call_command("restore", str(tmp_path / "nowhere"))
