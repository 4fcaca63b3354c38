"""What the tests of the request page share."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.urls import reverse

from requests_app.fal.error_bodies import ErrorBody
from requests_app.fal.reports import Result
from requests_app.models import FalRequest

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)><!--<script>"


def url(name: str, row: FalRequest, *more: object) -> str:
    return reverse(f"requests:{name}", args=[row.public_id, *more])


def page(client: Client, row: FalRequest, **query: str) -> str:
    reply = client.get(url("detail", row), query)
    assert reply.status_code == 200
    return reply.content.decode()


def refused(*fields: dict[str, Any], code: int = 422) -> Result:
    body = json.dumps({"detail": list(fields)}).encode()
    return Result(code, {}, "application/json", body, ErrorBody("wrong input", (), None))
