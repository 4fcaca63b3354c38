"""What news says of a request that was given up."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.rules.late_word import late_word
from requests_app.rules.transitions import CANCELLED_TYPE, CallEnded, Gone, LostSubmitFound
from tests.builders import make_receipt, make_result, make_status, make_webhook


@pytest.mark.parametrize(
    ("news", "words"),
    [
        (make_receipt(), "fal took it"),
        (LostSubmitFound("r"), "fal ran it"),
        (make_status("IN_QUEUE"), "fal has it"),
        (make_status("IN_PROGRESS"), "fal has it"),
        (make_status("COMPLETED"), "It finished at fal"),
        (make_status("COMPLETED", error="Invalid status code: 500"), "It failed at fal, says fal's status."),
        (make_status("COMPLETED", error="no credit"), "says fal's status: no credit"),
        (make_status("COMPLETED", error_type="internal_error"), ": internal_error"),
        (make_status("COMPLETED", error_type=CANCELLED_TYPE), "It was cancelled at fal"),
        (make_webhook(), "It completed at fal"),
        (make_webhook(payload_bytes=None), "It completed at fal"),
        (make_webhook(status="LATER"), "It ended at fal"),
        (make_webhook(status="ERROR", error="no credit"), ": no credit"),
        (make_webhook(status="ERROR", error="x", payload_bytes=b'{"detail": "why"}'), ": why"),
        (make_result(), "Its output was fetched"),
        (make_result(code=422, error="wrong"), ": wrong"),
    ],
)  # fmt: skip
def test_each_tells_its_fate_in_a_sentence(news: Any, words: str):
    assert words in late_word(news)


@pytest.mark.parametrize(
    "news",
    [Gone("request"), Gone("result"), CallEnded("failed", "cut", "x"), make_status("PAUSED")],
)
def test_what_tells_nothing_of_it_has_no_words(news: Any):
    assert late_word(news) == ""
