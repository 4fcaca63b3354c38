"""What a mail server, or its absence, can do to a message."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.notices.answers import NoticeMessage, TryResult
from requests_app.notices.mail import send_mail
from tests.notices.smtp_peer import SmtpPeer
from tests.ports import free_port

MESSAGE = NoticeMessage(
    "[Acme] A request failed\nBcc: x@example.org", "One line\nhttps://x/", "", {}
)


@pytest.fixture(autouse=True)
def _plain(settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 20
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False


@pytest.mark.slow
def test_a_mail_goes_to_all_recipients_with_its_text_and_no_header_of_the_title(
    settings: Any,
) -> None:
    with SmtpPeer() as peer:
        settings.EMAIL_PORT = peer.port
        answer = send_mail("a@example.org, b@example.org", MESSAGE)
    assert answer.result == TryResult.SENT
    [mail] = peer.mails
    assert "To: a@example.org, b@example.org" in mail
    assert "Subject: [Acme] A request failed Bcc: x@example.org" in mail
    assert "One line\r\nhttps://x/" in mail


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "result"),
    [
        ({"RCPT": "450 later"}, TryResult.NOT_SENT),
        ({"RCPT": "550 no such user"}, TryResult.REFUSED),
        ({"MAIL": "553 not from you"}, TryResult.REFUSED),
        ({"DATA": "451 later"}, TryResult.NOT_SENT),
        ({"end": "554 spam"}, TryResult.REFUSED),
        ({"end": "452 full"}, TryResult.NOT_SENT),
        ({"end": ""}, TryResult.UNKNOWN),  # it has the text, and hangs up
        ({"EHLO": "", "HELO": ""}, TryResult.UNKNOWN),
    ],
)
def test_each_answer_says_whether_another_try_makes_sense(
    settings: Any, answers: dict[str, str], result: TryResult
) -> None:
    with SmtpPeer(**answers) as peer:
        settings.EMAIL_PORT = peer.port
        assert send_mail("a@example.org", MESSAGE).result == result


def test_no_server_is_told_in_words(settings: Any) -> None:
    settings.EMAIL_PORT = free_port()
    answer = send_mail("a@example.org", MESSAGE)
    assert answer.result == TryResult.NOT_SENT
    assert "cannot be reached" in answer.words
    settings.EMAIL_HOST = ""
    assert send_mail("a@example.org", MESSAGE).result == TryResult.REFUSED
