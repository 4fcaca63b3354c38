"""What a cell of the list can be found by."""

from __future__ import annotations

from django import template

from requests_app.search import Term

register = template.Library()


@register.filter
def find(value: object, key: str) -> str:
    """Return the search for a cell's value; empty where there is none, or no search can hold it."""
    text = str(value or "")
    return "" if not text or '"' in text else str(Term(key, text))
