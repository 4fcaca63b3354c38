"""What the cells of the list, and the facts of a request, can be found by."""

from __future__ import annotations

from functools import lru_cache

from django import template

from requests_app.models import FalRequest
from requests_app.search import Term

register = template.Library()


@register.filter
def find(value: object, key: str) -> str:
    """Return the search for a cell's value; empty where there is none, or no search can hold it."""
    return _search(str(value or ""), key)


# The cells of a list have few values.
@lru_cache(maxsize=1024)
def _search(text: str, key: str) -> str:
    return "" if not text or '"' in text else str(Term(key, text))


@register.simple_tag
def finds(row: FalRequest) -> list[tuple[str, str, str]]:
    """Return what a request can be found by in the list: word, value, search."""
    facts = (
        ("Endpoint", row.endpoint_id, row.endpoint_id, "endpoint"),
        ("Status", row.get_status_display(), row.status, "status"),
        ("By", row.person.get_username(), row.person.get_username(), "by"),
        ("Source", row.get_origin_display(), row.origin, "source"),
        ("fal key", row.fal_key.name if row.fal_key else "", row.fal_key and row.fal_key.name, "key"),
        ("Seed", row.seed, row.seed, "seed"),
        ("Error type", row.error_type, row.error_type, "error"),
    )  # fmt: skip
    return [
        (word, str(shown), term) for word, shown, value, key in facts if (term := find(value, key))
    ]
