"""A message to a chat by a real child process, at a proxy that plays the chat's host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from requests_app.notices.answers import NoticeMessage, TryResult
from requests_app.notices.apprise_child import send
from requests_app.notices.chat import send_chat, without
from tests.notices.tls_proxy import TlsProxy
from tests.source import ROOT

TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"
ADDRESS = f"slack://T1JJ3T3L2/B1BRTD4JD/{TOKEN}"
MESSAGE = NoticeMessage("[Acme] 3 requests failed", "acme/img, by olga", "", {})


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [(200, b"ok", TryResult.SENT), (404, b"no_service", TryResult.REFUSED), (503, b"", TryResult.NOT_SENT)],
)  # fmt: skip
async def test_the_chat_gets_the_text_and_its_answer_is_told_without_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, result: TryResult
) -> None:
    with TlsProxy(tmp_path, "hooks.slack.com", status, body) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(proxy.ca))
        monkeypatch.setenv("FAL_KEY", "id:secret")  # not for the child
        answer = await send_chat(ADDRESS, MESSAGE)
    assert answer.result == result, answer.words
    assert TOKEN not in answer.words
    assert TOKEN.encode() in proxy.requests[0]
    assert b"3 requests failed" in proxy.requests[0]
    assert b"acme/img, by olga" in proxy.requests[0]


def test_only_chats_are_called_and_none_with_parameters() -> None:
    for address in ("json://127.0.0.1/", "file:///etc/passwd", f"{ADDRESS}?template=/etc/passwd"):
        assert send(address, "title", "text") == {
            "is_sent": False,
            "words": "Such an address is not allowed.",
        }


def test_parts_of_the_address_are_taken_out_of_words() -> None:
    assert without(f"Failed at {TOKEN} of T1JJ3T3L2.", ADDRESS) == "Failed at … of …."


@pytest.mark.slow
def test_the_worker_itself_imports_no_apprise(tmp_path: Path) -> None:
    code = (
        "import django, sys; django.setup(); import requests_app.tasks; "
        "sys.exit('apprise' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
