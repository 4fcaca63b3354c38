"""One probe: a call, what it may answer, and what it must not have written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from asgiref.sync import async_to_sync
from django.db import connection, transaction

from tests import sampling

PART = 40  # of how many probes one is made where not all are
# Tables that a refused call may write to: who came, and that it was refused.
KEEPS_COUNT = re.compile(
    r'"(requests_app_session|requests_app_guesscounter|requests_app_auditentry'
    r'|requests_app_apitoken" SET "last_used_at|django_session)\b'
)
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
# What differs between two answers to the same call.
CHANGES = re.compile(
    r'csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"|&quot;[A-Za-z0-9]{64}&quot;'
    r'|name="(?:token|form_key)"[^>]* value="[^"]*"|server-time" content="[^"]*"'
    r'|"age_s": [0-9.e-]+|"read_at": "[^"]*"'
    r'|(?<=">)[^<>"]*(?=</time>)'  # "23 s ago"
)
OF_THE_CALL = ("Content-Length", "RateLimit-Remaining", "RateLimit-Reset", "X-Request-Id")
STREAMED = 4096  # bytes of an endless answer that are looked at
Asker = Callable[[Any], Any]  # about what is an estate's, or, for None, about what is missing


def shares(count: int) -> list[tuple[int, int]]:
    """The parts of a long table that a run makes, as (which, of how many): all of them, or one small one."""
    is_whole = sampling.count("ISOLATION", 10) == 10
    return [(which, count) for which in range(count)] if is_whole else [(0, PART)]


def is_chosen(name: str, share: tuple[int, int]) -> bool:
    """Whether a probe belongs to this part; it is always the same one."""
    return crc32(name.encode()) % share[1] == share[0]


class Noted(list[str]):
    """Writing statements; `queries`: how many statements there were in all, but for those that keep count of who came."""

    queries = 0


@contextmanager
def noted_writes() -> Iterator[Noted]:
    """The writing statements of the block, which is rolled back."""
    said = Noted()

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        keeps_count = KEEPS_COUNT.search(sql[:120])
        said.queries += not keeps_count
        is_write = WRITES.match(sql) and not keeps_count
        if is_write and context["cursor"].rowcount:  # no row: nothing was written
            said.append(sql[:160])
        return result

    with transaction.atomic():
        with connection.execute_wrapper(note):
            yield said
        transaction.set_rollback(True)


def sent_by(reply: Any) -> int:
    """The status; 302 and 401 alone mean that a log-in is asked for."""
    if reply.status_code == 302 and not reply["Location"].startswith("/accounts/login/"):
        return 303
    return int(reply.status_code)


def text_of(reply: Any) -> str:
    """What came: the body, or the beginning of a streamed one."""
    if not getattr(reply, "streaming", False):
        return str(reply.content.decode("utf-8", "replace"))
    if not reply.is_async:
        text = b"".join(reply.streaming_content)
        return text.decode("utf-8", "replace")

    async def begin() -> bytes:
        taken = b""
        async for piece in reply.streaming_content:
            taken += piece
            if len(taken) > STREAMED or "event-stream" in reply["Content-Type"]:
                break
        return taken

    return async_to_sync(begin)().decode("utf-8", "replace")


def seen_of(reply: Any, *own: object) -> tuple[int, dict[str, str], str]:
    """Return all that a caller sees of an answer, without what is of this call alone.

    `own`: what the call itself named.
    """
    text, headers = text_of(reply), dict(reply.items())
    for one in map(str, own):
        # A short number only where a path names it: 127 is no part of "http://127.0.0.1".
        is_short = one.isdecimal() and len(one) < 12
        shown = rf"(?<=[^/]/){one}(?![\w.])" if is_short else re.escape(one)
        text = re.sub(shown, "ID", text)
        headers = {name: re.sub(shown, "ID", value) for name, value in headers.items()}
    for name in OF_THE_CALL:
        headers.pop(name, None)
    return reply.status_code, headers, CHANGES.sub("", text)


def difference(one: Any, other: Any) -> str:
    """Say where two answers differ; empty when they do not."""
    if one == other:
        return ""
    for mine, theirs in zip(map(str, one), map(str, other), strict=True):
        if mine != theirs:
            at = next((n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), 0)
            return f"{mine[max(at - 60, 0) : at + 60]!r} instead of {theirs[max(at - 60, 0) : at + 60]!r}"
    return "of another type"


def ensure_silent(seen: tuple[int, dict[str, str], str], words: list[str], call: str) -> None:
    """Fail when an answer has any of the words that are another team's."""
    found = [word for word in words if word in seen[2] or word in str(seen[1])]
    assert not found, f"{call} tells {found[0]!r}: {seen}"[:2000]
    assert seen[0] < 500 or seen[0] == 503, f"{call} answers {seen[0]}"  # fal is not there


def ensure_same_cost(name: str, ask: Asker, home: Any, first: tuple[Noted, Noted]) -> None:
    """Fail if what is another's always costs other statements than what is missing.

    What a process keeps for a while, keys and documents say, costs statements of the call that happens to come first.
    `first`: what both have cost already.
    """
    counts = [(first[0].queries, first[1].queries)]
    while counts[-1][0] != counts[-1][1]:
        assert len(counts) < 4, f"{name}: statements, and those about what is missing: {counts}"
        with noted_writes() as found:
            ask(home).close()
        with noted_writes() as missing:
            ask(None).close()
        counts.append((found.queries, missing.queries))
