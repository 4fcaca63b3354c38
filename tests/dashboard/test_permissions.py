from __future__ import annotations

import re

import pytest
from django.test import Client

from dashboard.permissions import PERMISSIONS


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/requests/", "/healthz", "/nowhere", "/static/favicon.svg", "/api/v1/"]
)  # fmt: skip
def test_every_reply_refuses_what_no_page_needs(db: None, path: str) -> None:
    response = Client().get(path)
    policy = response["Permissions-Policy"]
    response.close()  # a file's
    for feature in ("camera", "microphone", "geolocation", "payment", "usb"):
        assert f"{feature}=()" in policy


def test_the_header_is_a_list_of_features_that_browsers_can_read() -> None:
    assert re.fullmatch(r"([a-z-]+=\((self)?\)(, |$))+", PERMISSIONS)
