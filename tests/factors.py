"""An authenticator app for tests."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client, TestCase

PATH = "/accounts/factors"


@dataclass
class App:
    """What the app keeps, and the codes that were shown with it."""

    secret: str
    recovery: list[str]

    def code(self, ahead: int = 0) -> str:
        """The code of now, or of that many periods later: the server takes none twice."""
        return format_hotp_value(hotp_value(self.secret, int(time.time()) // 30 + ahead))


def post(browser: Client, path: str, form: dict[str, str] | None = None) -> Any:
    """Post, and do what allauth does after the commit."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        return browser.post(f"{PATH}/{path}", form or {}, follow=True)


def turned_on(browser: Client) -> App:
    """Turn on an app for who is logged in."""
    page = browser.get(f"{PATH}/totp/activate/")
    found = re.search(r'<code class="wrap">(\w+)</code>', page.text)
    assert found, page
    app = App(found[1], [])
    codes = post(browser, "totp/activate/", {"code": app.code(-1)})
    app.recovery = re.findall(r"<li><code>(\d+)</code>", codes.text)
    assert len(app.recovery) == 10
    return app
