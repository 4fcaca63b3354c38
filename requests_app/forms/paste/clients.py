"""What the Python and the JavaScript reader share: verbs of fal's clients, and a call in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.fal.exactjson import Members
from requests_app.fal.options import Option
from requests_app.forms.paste.addresses import Addresses
from requests_app.forms.paste.call import LeftOut, NotUnderstood, Options, PastedCall, json_text
from requests_app.models import Mode

REALTIME = "realtime"
# Verb of a client -> mode
VERBS: Mapping[str, str] = {
    "subscribe": Mode.QUEUE, "subscribe_async": Mode.QUEUE, "submit": Mode.QUEUE, "submit_async": Mode.QUEUE,
    "run": Mode.RUN, "run_async": Mode.RUN, "stream": Mode.STREAM, "stream_async": Mode.STREAM,
    "connect": REALTIME, REALTIME: REALTIME, "realtime_async": REALTIME, "ws_connect": REALTIME,
}  # fmt: skip
# Arguments that concern the program that was copied: its callbacks, its waiting, its own key.
ITS_OWN = frozenset(
    {
        "with_logs", "on_enqueue", "on_queue_update", "client_timeout", "timeout", "interval",
        "logs", "mode", "pollInterval", "onEnqueue", "onQueueUpdate", "abortSignal", "signal", "timeoutMs",
        "credentials", "method", "connectionMode", "queryParams", "storageSettings",
    }
)  # fmt: skip


@dataclass
class Parts:
    """One call as a reader found it: values are Members, lists, texts, Numbers or LeftOut."""

    verb: str
    target: Any = None
    input: Any = None
    path: Any = None
    arguments: list[tuple[str, Any]] = field(default_factory=list)
    headers: Any = None
    notes: list[str] = field(default_factory=list)
    is_url: bool = False


def is_target(value: Any) -> bool:
    """Whether the text is an endpoint id that a verb can be called with."""
    try:
        return isinstance(value, str) and bool(EndpointId.parse(value))
    except InvalidEndpointId:
        return False


def call_of(parts: Parts, addresses: Addresses, options_of: Mapping[str, Option]) -> PastedCall:
    """Put the parts together. Raises NotUnderstood."""
    call = _start(parts, addresses)
    options, notes = Options(), list(parts.notes)
    _take_arguments(parts, options, options_of)
    for name, value in parts.headers if isinstance(parts.headers, Members) else ():
        if isinstance(value, str):
            options.header(name, value)
    text = ""
    if isinstance(parts.input, Members):
        text = json_text(parts.input)
    elif parts.input is not None:
        why = parts.input.why if isinstance(parts.input, LeftOut) else "it is no object"
        notes.append(f"The input was left out: {why}.")
    found = {**call.options, **options.found}
    return PastedCall(call.endpoint_id, call.mode, text, found, call.notes).noting(
        [*notes, *options.notes]
    )


def _start(parts: Parts, addresses: Addresses) -> PastedCall:
    if parts.is_url:
        return addresses.read(str(parts.target))
    mode = VERBS[parts.verb]
    if mode == REALTIME:
        raise NotUnderstood("This opens a realtime session: the page Realtime does that.")
    name, notes = str(parts.target), []
    path = parts.path.strip("/") if isinstance(parts.path, str) else ""
    if path and not (mode == Mode.STREAM and path == "stream"):
        if mode == Mode.STREAM:
            notes.append("The stream is read at the usual path, not at the one in the text.")
        else:
            name = f"{name.rstrip('/')}/{path}"
    try:
        return PastedCall(str(EndpointId.parse(name)), mode, notes=tuple(notes))
    except InvalidEndpointId as error:
        raise NotUnderstood(str(error)) from None


def _take_arguments(parts: Parts, options: Options, options_of: Mapping[str, Option]) -> None:
    for name, value in parts.arguments:
        if name in ("webhook_url", "webhookUrl"):
            options.webhook()
        elif name in ITS_OWN:
            continue
        elif name not in options_of:
            options.notes.append(
                f"The argument {name[:60]} was left out: the form has none like it."
            )
        elif isinstance(value, str | bool):
            options.option(options_of[name], value)
        elif value is not None:
            why = value.why if isinstance(value, LeftOut) else "it is no single value"
            options.notes.append(f"The argument {name[:60]} was left out: {why}.")


def only_first(count: int) -> Sequence[str]:
    """Say that a text has more calls than one."""
    return [f"The text has {count} calls to fal: the first one was taken."] if count > 1 else []
