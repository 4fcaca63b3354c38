"""Permissions-Policy: a page may use no feature of the browser but full screen, and passkeys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_only_middleware

_REFUSED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation",
    "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi",
    "otp-credentials", "payment", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
_OWN = ("fullscreen", "publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS = ", ".join(
    [f"{feature}=()" for feature in _REFUSED] + [f"{feature}=(self)" for feature in _OWN]
)


@sync_only_middleware
def permissions_policy(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Send the header with every response, files included."""

    def with_header(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return with_header
