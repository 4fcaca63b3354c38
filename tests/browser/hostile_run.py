"""The file of a run in whose every text stands a payload: as a hostile hand would write it, with digests that fit."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.utils import timezone

from requests_app.models import Delivery, FalRequest, Frame
from tests.browser.payloads import PAYLOADS
from tests.builders import hear, make_log, make_queued, make_result, make_status
from tests.catalogue.documents import whole
from tests.isolation.estate import Estate
from tests.runfile.test_reading import Files, files_of, signed

RUNS = 4  # each with its share of the payloads
SHARE = -(-len(PAYLOADS) // RUNS)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='trap()'><script>trap()</script></svg>"
HTML = b"<!doctype html><script>trap()</script><x-trap></x-trap>"
AT = "2026-11-01T00:00:00+00:00"


def fill() -> str:
    """Make a team with one harmless run; return as JSON who owns it, and the run's files in base64."""
    estate = Estate("navy", 7)
    row = make_queued("harmless", team=estate.team, person=estate.owner)
    hear(row, make_status("IN_PROGRESS", logs=[make_log("first")]))
    hear(row, make_result(output={"text": "harmless"}))
    now = timezone.now()
    Delivery.objects.create(
        request=row, received_at=now, verdict="accepted", body=b"{}", body_size=2, headers={}, digest="d",
    )  # fmt: skip
    Frame.objects.create(request=row, number=1, offset_ms=2.5, data="one", size=3)
    files = files_of(FalRequest.objects.get(pk=row.pk))
    kept = {name: base64.b64encode(data).decode() for name, data in files.items()}
    return json.dumps({"user": estate.owner.username, "files": kept})


def shares() -> list[tuple[str, ...]]:
    """The payloads of each run."""
    return [PAYLOADS[start : start + SHARE] for start in range(0, len(PAYLOADS), SHARE)]


def hostile(files: Files, share: tuple[str, ...], number: int) -> Files:
    """The run with a share in every text; columns that have a bound get as much of it as they take."""
    text = " ".join(share)
    media = [{"url": one, "content_type": one, "file_name": one} for one in share]
    made = {name: data for name, data in files.items() if not name.startswith("output.")}
    made["output.json"] = json.dumps(
        {"images": media, "text": text, **{one: one for one in share}}
    ).encode()
    asked = {"prompt": text[:9000], "list": share, **{one or "empty": one for one in share}}
    made["input.json"] = json.dumps(asked).encode()
    made["schema.json"] = json.dumps(_document(share)).encode()
    made["media/001.svg"], made["media/002.html"], made["media/003.png"] = SVG, HTML, SVG
    made["deliveries/0001.body"] = text.encode()
    made |= _tables(share)

    def change(run: dict[str, Any]) -> None:
        request = run["request"]
        request |= {
            "by": text[:300], "fal_request_id": share[3][:200], "gateway_request_id": share[4][:200],
            "output_type": ("application/json", share[2][:200])[number % 2], "error": text, "error_type": share[1][:80],
            "error_code": 422, "metrics": {one: one for one in share}, "output_size": len(made["output.json"]),
            "status": ("completed", "failed")[number % 2], "cancel_answer": share[5], "billable_units": share[6],
            "status_url": share[7], "response_url": share[8], "cancel_url": share[9], "again_of": share[10],
            "options_sent": {one: one for one in share}, share[11]: share[12],
        }  # fmt: skip
        run["exported_from"] = dict.fromkeys(("site", "version", "team"), text)
        run["media"] = [
            {"place": one, "url": one, "content_type": one, "file": f"media/{n:03}.{ending}", "why_not": one}
            for n, (one, ending) in enumerate(zip(share, ("svg", "html", "png"), strict=False), 1)
        ]  # fmt: skip
        run["notes"] = list(share)
        run["schema_first_seen_at"] = AT
        run[share[13]] = text

    return signed(made, change)


def _tables(share: tuple[str, ...]) -> Files:
    history = [
        {"kind": one, "source": one, "status": one, "note": one, "data": {one: one}, "asked_at": one, "heard_at": AT}
        for one in share
    ]  # fmt: skip
    logs = [
        {"timestamp": one, "level": one, "source": one, "message": f"{one} {other}"}
        for one, other in zip(share, reversed(share), strict=True)
    ]
    frames = [
        {
            "number": n, "offset_ms": n, "direction": ("in", "out")[n % 2], "kind": one[:8], "event": one[:100],
            "event_id": one[:200], "data": one if n % 3 else json.dumps({one: {"url": one}}), "size": 9,
            "says": one[:8], "raw": base64.b64encode(one.encode("utf-8", "replace")).decode() if n % 2 else None,
        }
        for n, one in enumerate(share, 1)
    ]  # fmt: skip
    deliveries = [
        {
            "received_at": AT, "verdict": one[:30], "note": one, "headers": {one: one}, "body_size": 9,
            "body": "deliveries/0001.body",
        }
        for one in share[:20]
    ]  # fmt: skip
    tables = {"observations": history, "logs": logs, "frames": frames, "deliveries": deliveries}
    return {
        f"{name}.jsonl": b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        for name, lines in tables.items()
    }


def _document(share: tuple[str, ...]) -> dict[str, Any]:
    fields = {
        one or "empty": {"type": "string", "title": one, "description": other, "enum": [one, other], "default": one}
        for one, other in zip(share, reversed(share), strict=True)
    }  # fmt: skip
    made = whole({"In": {"type": "object", "properties": fields, "title": share[0]}}, "acme/img")
    made["info"]["title"] = made["info"]["description"] = share[1]
    return made
