"""The fault lab: calls of one token go wrong on purpose, for as long as an owner or admin has said.

What is refused here does not reach fal. A delayed call reaches it once, later; a stream that is cut ends at fal too.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from requests_app.faults.refusals import refusal
from requests_app.faults.rules import Faults, InvalidRule, Rule
from requests_app.gateway.addresses import Address, Operation
from requests_app.gateway.local import LocalResponse, LocalUpstream, whole
from requests_app.gateway.upstream import Body, Upstream
from requests_app.localqueue.answers import LocalReply
from requests_app.models import ApiToken

MOST_KEPT = 1000
_WHEN = {
    Operation.SUBMIT: "submit",
    Operation.STATUS: "status",
    Operation.STATUS_STREAM: "status_stream",
    Operation.RESULT: "result",
    Operation.CANCEL: "cancel",
}
EVENT_END = b"\n\n"


@dataclass(frozen=True)
class Lab:
    """What goes wrong with the calls of a token, up to a time. How often is counted in each process."""

    until: datetime
    faults: Faults

    @property
    def is_on(self) -> bool:
        return timezone.now() < self.until

    def rule_for(self, address: Address) -> Rule | None:
        """Return the rule that strikes this call."""
        direct = "stream" if address.is_stream else "run"
        when = direct if address.operation is Operation.DIRECT else _WHEN.get(address.operation)
        return self._take(when, address) if when else None

    def webhook_rule(self, address: Address) -> Rule | None:
        """Return the rule that strikes the webhook of this submit."""
        return self._take("webhook", address) if address.operation is Operation.SUBMIT else None

    def _take(self, when: str, address: Address) -> Rule | None:
        return self.faults.take(when, str(address.endpoint)) if self.is_on else None


_labs: OrderedDict[tuple[int, datetime], Lab] = OrderedDict()


def lab_of(token: ApiToken) -> Lab | None:
    """Return the token's lab; the same one each time, for it counts."""
    if not token.has_faults or token.faults_until is None:
        return None
    name = token.pk, token.faults_until
    if name not in _labs:
        faults = Faults()
        try:
            faults.replace(token.fault_rules)
        except InvalidRule:  # of another version
            return None
        _labs[name] = Lab(token.faults_until, faults)
        if len(_labs) > MOST_KEPT:
            _labs.popitem(last=False)
    return _labs[name]


class FaultyUpstream:
    """Stands in for the connections to fal in one call that a rule strikes."""

    def __init__(self, rule: Rule, inner: Upstream | LocalUpstream) -> None:
        self._rule, self._inner = rule, inner

    @asynccontextmanager
    async def opened(
        self, method: str, url: str, headers: list[tuple[str, str]], body: Body
    ) -> AsyncIterator[Any]:
        """Make the call, or not, as `Upstream` does."""
        if told := refusal(self._rule):
            await whole(body)  # a caller still sending would see another error than it should
            named = {"content-type": told.media_type, **told.headers}
            yield LocalResponse(LocalReply(told.status_code, told.body, named))
            return
        if self._rule.do == "delay":
            await asyncio.sleep(self._rule.seconds)
        async with self._inner.opened(method, url, headers, body) as response:
            yield CutResponse(response, self._rule.after) if self._rule.do == "cut" else response


class CutResponse:
    """A reply whose stream breaks off behind some events."""

    def __init__(self, response: Any, after: int) -> None:
        self._response, self._after = response, after
        self.content = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the events up to the cut. Raises OSError there."""
        left, rest = self._after, b""
        async for piece in self._response.content.iter_any():
            *events, rest = (rest + piece).split(EVENT_END)
            passed = events[:left]
            left -= len(passed)
            if passed:
                yield b"".join(event + EVENT_END for event in passed)
            if len(events) > len(passed) or (not left and rest):
                raise OSError("cut by the fault lab")
        if rest:
            yield rest
