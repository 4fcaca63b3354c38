"""Misbehaviour on demand: the rules, and which of them strikes next.

A rule is a mapping:

    when         what it spoils: submit, status, status_stream, result, cancel, list, delete,
                 models, pricing, run, stream, runner (a queued request's attempt), end (of that attempt: held
                 back while such a rule is in force, so give times = null), webhook
    do           the fault; DOES lists which exist for which `when`
    endpoint     full endpoint id it is limited to; "*" works as in file names (default: every one)
    times        how often it strikes before it is used up; null = for ever (default 1)
    probability  0..1 (default 1)
    seconds      length of a delay or a silence (default 1)
    after        events or bytes that are still let through before a cut (default 1)
    retry_after  Retry-After of a 429, sent as given: seconds, a date or junk (default absent)
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase

REPLY = frozenset({
    "delay", "reset_before", "drop_before", "drop_reply_after_accepting",
    "reset_after_accepting", "429", "502_html", "503", "504_html", "500_json", "401", "403",
    "not_found", "redirect", "truncate_json", "cut_body", "wrong_type", "html_200", "empty_200",
})  # fmt: skip
EVENTS = frozenset({"cut", "reset", "silence", "bad_json", "split_bytes"})
DOES: Mapping[str, frozenset[str]] = {
    "submit": REPLY | {"lose", "bad_urls", "no_id"},
    "status": REPLY | {"go_backwards", "unknown_status", "no_logs"},
    "result": REPLY | {"in_progress"},
    "cancel": REPLY | {"ignore", "too_late"},
    "list": REPLY,
    "delete": REPLY,
    "models": REPLY,
    "pricing": REPLY,
    "run": REPLY,
    "status_stream": REPLY | EVENTS,
    "stream": REPLY | EVENTS,
    "runner": frozenset({"lose"}),
    "end": frozenset({"hold"}),
    "webhook": frozenset({"lose", "repeat", "delay", "bad_signature", "old_timestamp",
                          "other_request_id", "payload_null", "truncate_json"}),
}  # fmt: skip


class InvalidRule(ValueError):
    """The text says what is wrong with the rule."""


@dataclass(frozen=True)
class Rule:
    when: str
    do: str
    endpoint: str = "*"
    times: int | None = 1
    probability: float = 1.0
    seconds: float = 1.0
    after: int = 1
    retry_after: str | float | None = None


def parse(data: object) -> Rule:
    """Raises InvalidRule with a sentence."""
    if not isinstance(data, Mapping):
        raise InvalidRule("A rule must be an object.")
    unknown = set(data) - {field.name for field in fields(Rule)}
    if unknown:
        raise InvalidRule(f"Unknown members: {', '.join(sorted(map(str, unknown)))}.")
    when, do = data.get("when"), data.get("do")
    if not isinstance(when, str) or when not in DOES:
        raise InvalidRule(f"'when' must be one of: {', '.join(DOES)}.")
    if not isinstance(do, str) or do not in DOES[when]:
        raise InvalidRule(f"'do' of {when} must be one of: {', '.join(sorted(DOES[when]))}.")
    return _checked(Rule(**data))


def _checked(rule: Rule) -> Rule:
    if not isinstance(rule.endpoint, str):
        raise InvalidRule("'endpoint' must be a text.")
    if rule.times is not None and (not isinstance(rule.times, int) or rule.times < 1):
        raise InvalidRule("'times' must be a whole number above 0, or null for ever.")
    if not isinstance(rule.after, int) or rule.after < 0:
        raise InvalidRule("'after' must be a whole number, 0 or more.")
    if not isinstance(rule.probability, int | float) or not 0 <= rule.probability <= 1:
        raise InvalidRule("'probability' must be between 0 and 1.")
    if not isinstance(rule.seconds, int | float) or rule.seconds < 0:
        raise InvalidRule("'seconds' must be 0 or more.")
    return rule


class Faults:
    """The rules in force; the first that fits strikes. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, **rule: object) -> None:
        """Adds one rule behind the others. Raises InvalidRule."""
        parsed = parse(rule)
        with self._lock:
            self._rules.append(parsed)

    def replace(self, rules: object) -> None:
        """Puts a list of rules in place of all; an invalid one leaves everything as it was."""
        if not isinstance(rules, list):
            raise InvalidRule("A list of rules is expected.")
        parsed = [parse(rule) for rule in rules]
        with self._lock:
            self._rules = parsed

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    @property
    def rules(self) -> list[dict[str, object]]:
        """What is left of them, with the remaining `times`."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def take(self, when: str, endpoint_id: str) -> Rule | None:
        """The rule that strikes this call, counted down; None = behave."""
        with self._lock:
            for index, rule in enumerate(self._rules):
                if _fits(rule, when, endpoint_id):
                    self._count_down(index)
                    return rule
        return None

    def _count_down(self, index: int) -> None:
        rule = self._rules[index]
        if rule.times == 1:
            del self._rules[index]
        elif rule.times is not None:
            self._rules[index] = replace(rule, times=rule.times - 1)


def _fits(rule: Rule, when: str, endpoint_id: str) -> bool:
    if rule.when != when or not fnmatchcase(endpoint_id, rule.endpoint):
        return False
    return random.random() < rule.probability  # noqa: S311  # chance, not a secret
