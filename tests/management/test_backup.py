from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_says_what_is_in_the_file(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.SANDBOX = tmp_path, False
    out = StringIO()
    call_command("backup", str(tmp_path / "a.backup"), stdout=out)
    assert "0 requests" in out.getvalue()
    assert "without (it is in the environment: keep it too) the secret key" in out.getvalue()
    assert (tmp_path / "a.backup").exists()


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no backup: .*nowhere"):
        call_command("backup", str(tmp_path / "nowhere" / "a.backup"))
