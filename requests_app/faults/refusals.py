"""What is answered in place of fal, without any work done: in fal's shapes, or a proxy's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from .rules import Rule

JSON = "application/json"
BAD_GATEWAY = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr><center>nginx</center></body></html>"


@dataclass(frozen=True)
class FaultReply:
    """A whole answer."""

    status_code: int
    body: bytes
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def refusal(rule: Rule) -> FaultReply | None:
    """Return the answer of a rule that lets nothing through; None for any other rule."""
    match rule.do:
        case "429":
            return _too_many(rule)
        case "502_html" | "504_html":
            title = "502 Bad Gateway" if rule.do == "502_html" else "504 Gateway Time-out"
            return FaultReply(int(rule.do[:3]), BAD_GATEWAY.format(title).encode(), "text/html")
        case "503":
            kind = "runner_scheduling_failure"
            told = {"detail": "No runner available", "error_type": kind}
            return FaultReply(503, _json(told), headers={"X-Fal-Error-Type": kind})
        case "too_late":
            return FaultReply(400, _json({"status": "ALREADY_COMPLETED"}))
    return None


def _too_many(rule: Rule) -> FaultReply:
    headers = {"X-Fal-Needs-Retry": "1"}
    if rule.retry_after is not None:
        headers["Retry-After"] = str(rule.retry_after)
    kind = "concurrent_requests_limit"
    told = {"detail": "Too many concurrent requests", "error_type": kind}
    return FaultReply(429, _json(told), headers=headers)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
