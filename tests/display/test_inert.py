"""Bytes of a model are answered under a policy that runs nothing, whatever kind of reply carries them."""

from __future__ import annotations

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from dashboard.inert import INERT_POLICY
from requests_app.display.inert import inert

REPLIES = {
    "whole": HttpResponse(b"<script>alert(1)</script>", content_type="text/html"),
    "in pieces": StreamingHttpResponse([b"<svg onload=alert(1)>"], content_type="image/svg+xml"),
    "a file": FileResponse([b"%PDF"], content_type="application/pdf"),
    "with a policy of its own": HttpResponse(headers={"Content-Security-Policy": "default-src *"}),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_a_reply_runs_nothing_and_belongs_to_this_site_alone(reply):
    kind = reply["Content-Type"]
    assert inert(reply) is reply
    assert reply["Content-Security-Policy"] == INERT_POLICY
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert reply["Cross-Origin-Resource-Policy"] == "same-origin"
    assert reply["Content-Type"] == kind
