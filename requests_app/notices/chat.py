"""Send a message to a chat: one run of `apprise_child`, which has the address by its standard input alone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys

from django.conf import settings

from requests_app.notices.answers import NoticeMessage, TryAnswer, TryResult

DEADLINE_S = 45.0
CHILD = "requests_app.notices.apprise_child"
# What a program needs to run and to reach the network; none of ours.
PASSED_ON = frozenset({
    "PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
})  # fmt: skip


async def send_chat(address: str, message: NoticeMessage) -> TryAnswer:
    """Return what came of it; apprise says no more than whether it worked, and why not."""
    environment = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    asked = {"address": address, "title": message.title, "text": message.text}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", CHILD, cwd=settings.BASE_DIR, env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_S):
            told, _ = await child.communicate(json.dumps(asked).encode())
    except TimeoutError:
        return TryAnswer(TryResult.UNKNOWN, f"No answer within {DEADLINE_S:g} s.")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _answer(told, address)


def _answer(told: bytes, address: str) -> TryAnswer:
    try:
        found = json.loads(told)
    except ValueError:
        return TryAnswer(TryResult.UNKNOWN, "The sender ended without an answer.")
    if found["is_sent"]:
        return TryAnswer(TryResult.SENT, "It was accepted.")
    words = without(found["words"], address)
    code = re.search(r"error=(\d{3})", words)
    is_final = bool(code) and 400 <= int(code[1]) < 500 and code[1] not in ("408", "429")  # type: ignore[index]
    if "A Connection error" in words or "Connection error" in words:
        return TryAnswer(TryResult.UNKNOWN, words or "The connection broke off.")
    return TryAnswer(
        TryResult.REFUSED if is_final else TryResult.NOT_SENT, words or "It was not accepted."
    )


def without(words: str, address: str) -> str:
    """Leave the parts of the address out of words that are kept."""
    for part in re.split(r"[/:]+", address):
        if len(part) >= 5:
            words = words.replace(part, "…")
    return " ".join(words.split())[:300]
