"""A channel's address: what a user types, what is stored, and what of it is shown.

Chats are given as their own addresses or in apprise's form, without parameters: some of those make apprise
read files. The host of a webhook is judged when it is called (`webhook.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from requests_app.models import ChannelKind

MOST_RECIPIENTS = 10
_SLACK = re.compile(
    r"(?:https://hooks\.slack\.com/services/|slack://)(T\w{5,20})/(B\w{5,20})/(\w{20,30})/?"
)
_DISCORD = re.compile(
    r"(?:https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/|discord://)(\d{5,25})/([\w-]{20,100})/?"
)
_TELEGRAM = re.compile(r"(?:tgram://)?(\d{5,15}:[\w-]{30,50})[/ ](-?\d{3,20}|@\w{4,40})/?")


class BadAddress(Exception):
    """A sentence for the user, without the address."""


class ChannelAddress(NamedTuple):
    """What is stored, encrypted, and what may be shown."""

    secret: str
    shown: str


def parse(kind: str, text: str) -> ChannelAddress:
    """Read what was typed. Raises BadAddress."""
    return _PARSERS[ChannelKind(kind)](text.strip())


def _email(text: str) -> ChannelAddress:
    found = [one for one in re.split(r"[\s,;]+", text) if one]
    if not found or len(found) > MOST_RECIPIENTS:
        raise BadAddress(f"Give 1 to {MOST_RECIPIENTS} mail addresses, with commas.")
    for one in found:
        try:
            validate_email(one)
        except ValidationError:
            raise BadAddress(f"“{one[:80]}” is no mail address.") from None
    shown = ", ".join(found)
    return ChannelAddress(shown, shown if len(shown) <= 200 else f"{shown[:199]}…")


def _slack(text: str) -> ChannelAddress:
    if not (found := _SLACK.fullmatch(text)):
        raise BadAddress("Give the webhook's URL: https://hooks.slack.com/services/T…/B…/…")
    return ChannelAddress(f"slack://{'/'.join(found.groups())}", f"hooks.slack.com …{text[-4:]}")


def _discord(text: str) -> ChannelAddress:
    if not (found := _DISCORD.fullmatch(text)):
        raise BadAddress("Give the webhook's URL: https://discord.com/api/webhooks/…/…")
    return ChannelAddress(f"discord://{'/'.join(found.groups())}", f"discord.com …{text[-4:]}")


def _telegram(text: str) -> ChannelAddress:
    if not (found := _TELEGRAM.fullmatch(text)):
        raise BadAddress("Give the bot's token, a space, and the chat: 123456789:AA… -1001234")
    return ChannelAddress(f"tgram://{'/'.join(found.groups())}", f"Telegram, chat {found[2]}")


def _webhook(text: str) -> ChannelAddress:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("https", "http") or "@" in parts.netloc or re.search(r"[\s\x00-\x1f\\]", text):  # fmt: skip
        raise BadAddress("Give an address that begins with https://, without a user name.")
    return ChannelAddress(text, f"{parts.scheme}://{host}{f':{port}' if port else ''}/…"[:200])


_PARSERS: dict[ChannelKind, Callable[[str], ChannelAddress]] = {
    ChannelKind.EMAIL: _email,
    ChannelKind.SLACK: _slack,
    ChannelKind.DISCORD: _discord,
    ChannelKind.TELEGRAM: _telegram,
    ChannelKind.WEBHOOK: _webhook,
}
