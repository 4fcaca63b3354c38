"""An output that a browser could run is never sent as something to be run, by whichever address it is asked for."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.inert import INERT_POLICY
from requests_app.fal import Result
from requests_app.models import ApiToken, FalRequest, Frame
from tests.builders import hear, make_queued

BODIES = {
    "image/svg+xml": b"<svg xmlns='http://www.w3.org/2000/svg' onload='trap()'><script>trap()</script></svg>",
    "text/html": b"<!doctype html><script>trap()</script>",
    "text/html; charset=utf-7": b"+ADw-script+AD4-trap()+ADw-/script+AD4-",
    "application/xhtml+xml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>trap()</script></html>",
    "text/xml": b"<?xml-stylesheet href='javascript:trap()'?><x/>",
    "application/pdf": b"%PDF-1.7 /JS (trap())",
    "text/javascript": b"trap()",
    "multipart/x-mixed-replace; boundary=x": b"--x\r\nContent-Type: text/html\r\n\r\n<script>trap()</script>",
    "image/png": b"<svg onload=trap()>",  # a lie
    "IMAGE/SVG+XML": b"<svg onload=trap()>",
    "": b"<html><script>trap()</script>",
    "x\r\nX-Injected: 1": b"<script>trap()</script>",
}
HARMLESS = {
    "application/octet-stream", "application/json", "image/png", "image/jpeg", "image/webp", "image/gif",
    "text/plain; charset=utf-8",
}  # fmt: skip
PICTURES = "output_media", "medium", "frame_media"


def made(team, owner, content_type: str, body: bytes) -> FalRequest:
    row = make_queued(f"req-{content_type}", team=team, person=owner)
    hear(row, Result(200, {}, content_type, body, None))
    Frame.objects.create(
        request=row, number=1, offset_ms=1, data=None or "", raw=body, size=len(body)
    )
    return row


def inline(team, owner, content_type: str, body: bytes) -> FalRequest:
    row = make_queued(f"inline-{content_type}", team=team, person=owner)
    url = f"data:{content_type};base64,{b64encode(body).decode()}"
    output = json.dumps({"images": [{"url": url, "content_type": content_type}]}).encode()
    hear(row, Result(200, {}, "application/json", output, None))
    return row


@pytest.mark.parametrize("content_type", list(BODIES))
def test_it_is_a_download_or_a_picture_without_rights(team, owner, as_owner, content_type):
    body = BODIES[content_type]
    row, other = made(team, owner, content_type, body), inline(team, owner, content_type, body)
    addresses = {
        name: reverse(f"requests:{name}", args=[row.public_id])
        for name in ("output", "output_media", "run_file", "input")
    }
    addresses["medium"] = reverse("requests:medium", args=[other.public_id, 0])
    addresses["output of JSON"] = reverse("requests:output", args=[other.public_id])
    for name in ("frame_raw", "frame_media"):
        addresses[name] = reverse(f"requests:{name}", args=[row.public_id, 1])
    bearer = Client(headers={"Authorization": f"Bearer {ApiToken.issue(owner, team)}"})
    replies = {name: as_owner.get(address) for name, address in addresses.items()}
    replies["API"] = bearer.get(f"/api/v1/requests/{row.public_id}/output/")
    for name, reply in replies.items():
        if reply.status_code == 404:
            assert name in PICTURES, name
            continue
        assert reply["Content-Security-Policy"] == INERT_POLICY, name
        assert reply["X-Content-Type-Options"] == "nosniff", name
        assert reply["Content-Type"] in HARMLESS | {"application/zip"}, (
            name,
            reply["Content-Type"],
        )
        assert "X-Injected" not in reply
        is_download = reply.get("Content-Disposition", "").startswith("attachment")
        assert is_download or name in PICTURES, name
