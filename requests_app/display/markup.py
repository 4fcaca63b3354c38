"""Fill markup with values, for what a page draws a hundred times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

_has_special = re.compile("[&<>\"']").search


def fill(markup: str, *args: Any, **values: Any) -> SafeString:
    """Do what `format_html` does, in a third of its time: most values have nothing to escape, which one look tells."""
    named = {name: _escaped(value) for name, value in values.items()}
    return SafeString(markup.format(*map(_escaped, args), **named))  # nosec B703  # all are escaped


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Join filled parts."""
    return SafeString("".join(parts))  # nosec B703  # each is safe


NOTHING = joined(())


def _escaped(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return escape(value) if _has_special(value) else value
    if kind is SafeString:
        return value  # type: ignore[no-any-return]
    return str(value) if kind is int else conditional_escape(value)
