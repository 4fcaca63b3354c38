from __future__ import annotations

import pytest

from requests_app.fal import Control, Refused, Unanswered, describe_close
from requests_app.fal.close_codes import ending, refused_handshake
from requests_app.fal.replies import Reply

TIMEOUT = Control("timeout", "TIMEOUT", "no inputs, reconnect when needed!")
FAILURE = Control("error", "INTERNAL_ERROR", "boom")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (1000, "normal", "in order"),
        (1001, "lost", "going away"),
        (1002, "error", "protocol error"),
        (1003, "error", "type of message"),
        (1004, "error", "reserved"),
        (1005, "normal", "without giving a code"),
        (1006, "lost", "without a close message"),
        (1007, "error", "could not read"),
        (1008, "refused", "rules"),
        (1009, "error", "16 MiB"),
        (1010, "error", "extension"),
        (1011, "error", "error of its own"),
        (1012, "lost", "restarting"),
        (1013, "refused", "try again later"),
        (1014, "lost", "gateway"),
        (1015, "lost", "secure connection"),
        (1016, "error", "code 1016"),
        (3000, "refused", "not authorised"),
        (3003, "refused", "not permitted"),
        (3008, "timeout", "time-out"),
        (3999, "error", "code 3999"),
        (4000, "error", r"its own \(4000\)"),
        (4999, "error", r"its own \(4999\)"),
    ],
)
def test_every_close_code_has_its_words(code: int, kind: str, words: str) -> None:
    end = describe_close(code)
    assert (end.kind, end.code, end.reason) == (kind, code, "")
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(end.sentence)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (1000, "normal", "from this side"),
        (1002, "error", "broke the WebSocket protocol"),
        (1007, "error", "UTF-8"),
        (1009, "error", "limit set here"),
        (1011, "lost", "Pings"),
        (4001, "normal", "from this side with code 4001"),
    ],
)
def test_our_own_closing_is_told_apart(code: int, kind: str, words: str) -> None:
    end = describe_close(code, ours=True)
    assert end.kind == kind
    assert words in end.sentence


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("code", [*range(1000, 1017), 3000, 3003, 3008, 3999, 4000])
def test_an_app_of_ones_own_is_not_called_fal(code: int, ours: bool) -> None:
    sentence = describe_close(code, ours=ours, peer="The app").sentence
    assert "fal" not in sentence and "{" not in sentence
    assert "The app" not in sentence[1:]  # small in the middle


@pytest.mark.parametrize("last", [TIMEOUT, FAILURE, Control("unauthorized", "Unauthorized")])
def test_its_last_word_is_not_fals(last: Control) -> None:
    close = describe_close(1000, peer="The app")
    assert "fal " not in ending(close, last, "The app").sentence


def test_the_reason_is_quoted_in_one_line() -> None:
    end = describe_close(1011, "bad\r\n\x1b[31mthing")
    assert end.sentence.endswith("Reason: bad   [31mthing")
    assert end.reason == "bad\r\n\x1b[31mthing"


def test_a_time_out_and_code_1000_are_a_normal_end_of_their_own() -> None:
    end = ending(describe_close(1000), TIMEOUT)
    assert (end.kind, end.code) == ("timeout", 1000)
    assert "nothing was sent for a while (no inputs" in end.sentence


def test_an_exception_of_the_app_is_an_error_although_the_code_is_1000() -> None:
    end = ending(describe_close(1000), FAILURE)
    assert (end.kind, end.code) == ("error", 1000)
    assert end.sentence == "The app failed with INTERNAL_ERROR: boom"


def test_an_app_that_takes_no_text_is_told_as_such() -> None:
    end = ending(describe_close(1000), Control("error", "INTERNAL_ERROR", "'bytes'"))
    assert end.sentence.endswith("INTERNAL_ERROR: 'bytes'. It takes msgpack only, no text.")


def test_unauthorized_is_a_refusal_whatever_the_code() -> None:
    end = ending(describe_close(1008), Control("unauthorized", "Unauthorized"))
    assert (end.kind, end.code) == ("refused", 1008)
    assert "new one" in end.sentence


def test_without_a_last_word_the_code_decides() -> None:
    assert ending(describe_close(1006), None) == describe_close(1006)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "not valid"),
        (403, "may not open"),
        (404, "no realtime endpoint"),
        (429, "too many"),
        (418, "not wanted"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>nginx</html>", b'{"detail":"fal says so"}'])
def test_a_4xx_is_a_definite_no_whoever_says_it(status: int, words: str, body: bytes) -> None:
    error = refused_handshake(Reply(status, {"retry-after": "7"}, body))
    assert isinstance(error, Refused)
    assert (error.status_code, error.retry_after_s, error.sent) == (status, 7, True)
    assert words in str(error)
    assert str(error).endswith("fal says so") == (b"fal says so" in body)
    assert "html" not in str(error)


@pytest.mark.parametrize("status", [200, 302, 500, 502, 503])
def test_any_other_reply_says_nothing_certain(status: int) -> None:
    error = refused_handshake(Reply(status, {}, b"<html>"))
    assert isinstance(error, Unanswered)
    assert (error.status_code, error.retryable) == (status, False)
