"""Send a message by mail: one try, over the operator's SMTP server."""

from __future__ import annotations

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from requests_app.notices.answers import NoticeMessage, TryAnswer, TryResult

BACKEND = "django.core.mail.backends.smtp.EmailBackend"
NO_SERVER = "This installation has no mail server: its operator sets EMAIL_HOST."


def send_mail(address: str, message: NoticeMessage) -> TryAnswer:
    """Return what the server said. Blocks, at most for some seconds."""
    if not settings.EMAIL_HOST:
        return TryAnswer(TryResult.REFUSED, NO_SERVER)
    connection = get_connection(BACKEND)
    mail = EmailMessage(
        subject=" ".join(message.title.split()), body=message.text, to=address.split(", "),
        from_email=settings.DEFAULT_FROM_EMAIL, connection=connection,
        headers={"Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    try:
        connection.open()
    except smtplib.SMTPAuthenticationError as error:
        return TryAnswer(
            TryResult.REFUSED, f"The mail server refuses the log-in ({error.smtp_code})."
        )
    except (smtplib.SMTPException, OSError) as error:
        return TryAnswer(TryResult.NOT_SENT, f"The mail server cannot be reached: {_words(error)}.")
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return _refused(max(codes, default=550), "refuses the recipients")
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        return _refused(error.smtp_code, "refuses the message")
    except (smtplib.SMTPException, OSError) as error:
        return TryAnswer(TryResult.UNKNOWN, f"The mail server broke off: {_words(error)}.")
    finally:
        connection.close()
    return TryAnswer(TryResult.SENT, "The mail server accepted it.")


def _refused(code: int, what: str) -> TryAnswer:
    """4xx: try again later."""
    result = TryResult.NOT_SENT if 400 <= code < 500 else TryResult.REFUSED
    return TryAnswer(result, f"The mail server {what} ({code}).")


def _words(error: Exception) -> str:
    return type(error).__name__
