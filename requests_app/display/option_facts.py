"""Platform options in words, for a page that shows what will be sent."""

from __future__ import annotations

from collections.abc import Mapping

from requests_app.fal.headers import HEADERS, InvalidHeader, understand
from requests_app.fal.option_kinds import OnOff, OptionKind
from requests_app.fal.options import OPTIONS


def option_facts(options: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return label and text of each option that is sent, then the caller's own headers."""
    try:
        understood = understand(options)
    except InvalidHeader:  # stored before a rule became stricter
        return []
    given = [option for option in OPTIONS if option.name in understood]
    facts = [(option.label, _words(option.kind, understood[option.name])) for option in given]
    own = understood.get(HEADERS)
    headers = [(name, str(text)) for name, text in own.items()] if isinstance(own, dict) else []
    return [(label, words) for label, words in facts if words is not None] + headers


def _words(kind: OptionKind, value: object) -> str | None:
    """Return the value as it is written; None: it is fal's default, which is not sent."""
    if isinstance(kind, OnOff):
        return kind.yes if value else kind.no
    return kind.write(value)
