"""Pure: describe what a late report says of a request that was given up as uncertain."""

from __future__ import annotations

from functools import singledispatch

from requests_app.fal.error_bodies import parse_error, says_nothing
from requests_app.fal.reports import Receipt, Result, StatusReport, WebhookReport
from requests_app.rules.transitions import CANCELLED_TYPE, LostSubmitFound

MAX_REASON = 300


@singledispatch
def late_word(news: object) -> str:
    """Return a sentence, or "" for a report that says nothing about the outcome."""
    return ""


@late_word.register
def _receipt(news: Receipt) -> str:
    return "fal took it: the reply to the submit came after it was given up."


@late_word.register
def _found(news: LostSubmitFound) -> str:
    return "fal ran it: its list of finished requests has the one request that this can be."


@late_word.register
def _status(news: StatusReport) -> str:
    if not news.is_known:
        return ""
    if not news.is_completed:
        return "fal has it: it waits or runs there."
    if news.error_type == CANCELLED_TYPE:
        return "It was cancelled at fal, says fal's status."
    if news.error or news.error_type:
        return _failed("fal's status", news.error or news.error_type or "")
    return "It finished at fal, says fal's status."


@late_word.register
def _webhook(news: WebhookReport) -> str:
    if news.status == "OK":
        return "It completed at fal, says a signed webhook that came after it was given up."
    if news.status != "ERROR":
        return "It ended at fal, says a signed webhook that came after it was given up."
    told = parse_error(0, {}, news.payload_bytes or b"")
    words = told.detail if told.has_reason else news.error or ""
    return _failed("a signed webhook that came after it was given up", words)


@late_word.register
def _result(news: Result) -> str:
    if news.error is None:
        return "Its output was fetched from fal and is kept here."
    return _failed("its answer, which was fetched", news.error.detail)


def _failed(source: str, words: str) -> str:
    reason = "" if says_nothing(words) else f": {words[:MAX_REASON]}"
    return f"It failed at fal, says {source}{reason or '.'}"
