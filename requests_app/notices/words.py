"""A rule and a message in words: plain text without inputs, outputs and secrets."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from django.conf import settings

from requests_app.models import Notice, NoticeEvent, NoticeRule, RuleEvent
from requests_app.notices.answers import NoticeMessage

MOST_LINES = 5
MOST_ERROR = 200  # characters of fal's or a model's sentence
UNSURE = "This message may have reached you before: the answer to an earlier try was lost."

_ONE = {
    RuleEvent.FAILED: "A request failed",
    RuleEvent.UNCERTAIN: "A request is uncertain",
    RuleEvent.QUEUE: "A request waits in fal's queue",
    RuleEvent.RATE: "Too many requests fail",
    RuleEvent.BATCH: "A batch is over",
    RuleEvent.BULK: "An action on many requests is over",
    RuleEvent.KEY: "fal refuses a key",
    RuleEvent.FORWARD: "Forwarding to a destination was switched off",
}
_MANY = {
    RuleEvent.FAILED: "{} requests failed",
    RuleEvent.UNCERTAIN: "{} requests are uncertain",
    RuleEvent.QUEUE: "{} requests wait in fal's queue",
    RuleEvent.RATE: "Too many requests fail",
    RuleEvent.BATCH: "{} batches are over",
    RuleEvent.BULK: "{} actions on many requests are over",
    RuleEvent.KEY: "fal refuses {} keys",
    RuleEvent.FORWARD: "Forwarding to {} destinations was switched off",
}
_SEARCH = {
    RuleEvent.FAILED: "status:failed",
    RuleEvent.RATE: "status:failed",
    RuleEvent.UNCERTAIN: "status:uncertain",
    RuleEvent.QUEUE: "status:active",
}


def rule_in_words(rule: NoticeRule) -> str:
    """Say what the rule is about: in lists, and in the log."""
    event = RuleEvent(rule.event)
    if event == RuleEvent.RATE:
        words = f"Over {rule.percent} % of at least {rule.least} requests failed within {rule.minutes} min"
    elif event in (RuleEvent.UNCERTAIN, RuleEvent.QUEUE):
        place = "uncertain" if event == RuleEvent.UNCERTAIN else "in fal's queue"
        words = f"A request has been {place} for over {rule.minutes} min"
    else:
        words = str(event.label)
    if rule.pattern:
        words += f", of {rule.pattern}"
    if rule.error_type:
        words += f", with the error {rule.error_type}"
    if rule.only_of:
        words += f", of {rule.only_of.get_username()} alone"
    return words[:300]


def message_of(notice: Notice, events: Sequence[NoticeEvent]) -> NoticeMessage:
    """Write the message; `events` are its first ones."""
    team = notice.team.name
    if notice.is_test:
        title, lines, path = f"Test of the channel {notice.channel_name}", ["It works."], _notices()
    elif notice.rule is None or not events:
        title, lines, path = notice.rule_words, [], _notices()
    else:
        event = RuleEvent(notice.rule.event)
        title = _ONE[event] if notice.count == 1 else _MANY[event].format(f"{notice.count:,}")
        lines = [one.line for one in events[:MOST_LINES]]
        if notice.count > len(lines):
            lines.append(f"… and {notice.count - len(lines):,} more.")
        path = events[0].path if notice.count == 1 else _list_of(notice.rule, events)
    if notice.is_unsure:
        lines.append(UNSURE)
    url = f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else ""
    text = "\n".join([*lines, f"Rule: {notice.rule_words}", *([url] if url else [])])
    values = {
        "id": notice.pk, "team": team, "title": title, "rule": notice.rule_words, "count": notice.count,
        "lines": lines, "url": url, "may_be_a_repeat": notice.is_unsure, "is_test": notice.is_test,
    }  # fmt: skip
    return NoticeMessage(f"[{team}] {title}", text, url, values)


def _notices() -> str:
    return "/settings/notices/"


def _list_of(rule: NoticeRule, events: Sequence[NoticeEvent]) -> str:
    search = _SEARCH.get(RuleEvent(rule.event))
    if search is None:
        return (
            events[0].path.rsplit("/", 2)[0] + "/" if rule.event != RuleEvent.KEY else "/settings/"
        )
    if rule.pattern:
        search += f" endpoint:{rule.pattern}"
    if rule.only_of:
        search += f" by:{rule.only_of.get_username()}"
    return f"/requests/?team={rule.team_id}&q={quote(search)}"
