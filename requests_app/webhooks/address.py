"""The URL that fal delivers a request's webhook to."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.urls import reverse


def webhook_url(public_id: UUID, secret: str) -> str | None:
    """Return the URL that fal POSTs the result to; None without a `PUBLIC_URL`."""
    if not settings.PUBLIC_URL:
        return None
    path = reverse("requests:webhook", kwargs={"public_id": public_id, "secret": secret})
    return f"{settings.PUBLIC_URL}{path}"
