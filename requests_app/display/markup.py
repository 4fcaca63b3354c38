"""Fill markup with values, for what a page draws a hundred times."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    is_plain = type(value) is str and not _has_special(value)
    return value if is_plain or type(value) is SafeString else conditional_escape(value)
