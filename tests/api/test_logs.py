"""The log of a request for programs: pages, levels and words."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.api import logs
from requests_app.models import LogLine
from tests.api.conftest import Caller

LINES = [
    ("INFO", "Loading the É model"),
    ("ERROR", "No memory"),
    ("info", "step 1"),
    ("", "step 2"),
]


def test_lines_come_by_level_and_words_a_page_at_a_time(
    owner: Caller, stranger: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = owner.make()
    for number, (level, message) in enumerate(LINES):
        LogLine.objects.create(request=row, level=level, message=message, digest=str(number))

    def read(query: str = "") -> Any:
        answer = owner.get(f"{row.public_id}/logs/{query}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def messages(query: str = "") -> list[str]:
        return [line["message"] for line in read(query)["items"]]

    assert messages() == [message for _, message in LINES]
    assert messages("?level=info") == ["Loading the É model", "step 1"]
    assert messages("?level=ERROR&level=info&q=STEP") == ["step 1"]
    assert messages("?q=é+MODEL") == ["Loading the É model"]
    first = read("?limit=3")
    assert len(first["items"]) == 3
    assert messages(f"?limit=3&after={first['next_after']}") == ["step 2"]
    assert read(f"?after={first['next_after']}")["next_after"] is None
    with monkeypatch.context() as small:
        small.setattr(logs, "SCANNED", 2)
        page = read("?q=step")
        assert page["items"] == []
        rest = f"?q=step&after={page['next_after']}"
        assert messages(rest) == ["step 1", "step 2"]
    assert owner.get(f"{row.public_id}/logs/?limit=0").status_code == 422
    assert stranger.get(f"{row.public_id}/logs/").status_code == 404
