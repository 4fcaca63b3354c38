"""Where fal delivers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from requests_app.webhooks.address import webhook_url


def test_the_url_for_fal_is_built_from_the_public_one(settings: Any) -> None:
    public_id = uuid4()
    settings.PUBLIC_URL = "https://faldeck.example"
    expected = f"https://faldeck.example/hooks/fal/{public_id}/s3cret"
    assert webhook_url(public_id, "s3cret") == expected


def test_there_is_no_url_where_fal_cannot_reach_us(settings: Any) -> None:
    settings.PUBLIC_URL = ""
    assert webhook_url(uuid4(), "s3cret") is None
