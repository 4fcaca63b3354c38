"""Platform options: what fal's gateway accepts beside the input. Pure.

One entry per option feeds the headers, a submit's query, the API's schema, the form and the code
samples; a new option is one entry here and one row in its test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .option_kinds import (
    Choice,
    Count,
    Lifecycle,
    OnOff,
    OptionKind,
    Retries,
    Seconds,
    Switch,
    Tags,
    Text,
)

QUEUE, RUN, STREAM, REALTIME = "queue", "run", "stream", "realtime"
DIRECT = (RUN, STREAM)
EVERYWHERE = (QUEUE, RUN, STREAM, REALTIME)


@dataclass(frozen=True)
class Argument:
    """The named argument of fal's own client for an option, in some modes."""

    name: str
    modes: tuple[str, ...]
    above: float | None = None  # the client itself refuses anything smaller


@dataclass(frozen=True)
class Option:
    """One option. ``modes``: where fal heeds it; it is sent in the others too.

    All ``headers`` are written and each is read, the first before the others; ``also`` is only
    read. An option with a ``query`` instead is a parameter of a submit and means nothing
    elsewhere.
    """

    name: str
    kind: OptionKind
    label: str
    help: str
    headers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    query: str = ""
    modes: tuple[str, ...] = EVERYWHERE
    python: Argument | None = None
    javascript: Argument | None = None

    def for_page(self) -> dict[str, object]:
        """Return what the page's scripts need to write it."""
        clients = {"python": self.python, "javascript": self.javascript}
        return {
            "name": self.name,
            "kind": type(self.kind).__name__,
            "headers": list(self.headers),
            "also": list(self.also),
            "query": self.query,
            "on": self.kind.on[0] if isinstance(self.kind, Switch) else None,
            "usual": self.kind.usual if isinstance(self.kind, Choice) else None,
            **{
                client: argument
                and {"name": argument.name, "modes": argument.modes, "above": argument.above}
                for client, argument in clients.items()
            },
        }


OPTIONS: tuple[Option, ...] = (
    Option(
        "priority",
        Choice({"normal": "Normal", "low": "Low: behind everything else"}, usual="normal"),
        "Priority",
        "In fal's queue; it can only be lowered.",
        headers=("X-Fal-Queue-Priority",),
        modes=(QUEUE,),
        python=Argument("priority", (QUEUE,)),
        javascript=Argument("priority", (QUEUE,)),
    ),
    Option(
        "start_timeout",
        Seconds(above=0.1),
        "Start timeout",
        "Seconds; fails if no runner has started by then.",
        # Both: fal documents the first and lets it win; the published clients still send the
        # second, so that an old and a new gateway both obey.
        headers=("X-Fal-Request-Start-Timeout", "X-Fal-Request-Timeout"),
        modes=(QUEUE, *DIRECT),
        python=Argument("start_timeout", (QUEUE, RUN), above=1),
        javascript=Argument("startTimeout", (QUEUE, RUN), above=1),
    ),
    Option(
        "max_queue_length",
        Count(0, 1_000_000),
        "Longest queue",
        "fal refuses the request when more are already waiting for this endpoint.",
        query="fal_max_queue_length",
        modes=(QUEUE,),
    ),
    Option(
        "runner_hint",
        Text(),
        "Runner hint",
        "Requests with the same hint prefer the same runner.",
        headers=("X-Fal-Runner-Hint",),
        modes=(QUEUE, *DIRECT),
        python=Argument("hint", (QUEUE, RUN)),
        javascript=Argument("hint", (QUEUE,)),
    ),
    Option(
        "tags",
        Tags(),
        "fal's tags",
        "project=demo,client=acme; fal's usage page groups by them, and tag:project=demo finds them here.",
        headers=("X-Fal-Tags",),
    ),
    Option(
        "store_io",
        OnOff(yes="Store them", no="Do not store them"),
        "Input and output at fal",
        "Files are not affected.",
        headers=("X-Fal-Store-IO",),
    ),
    Option(
        "object_lifecycle_preference",
        Lifecycle('{"expiration_duration_seconds": 3600}'),
        "Life of files",
        'Of the files it makes: {"expiration_duration_seconds": 3600}; null keeps them.',
        headers=("X-Fal-Object-Lifecycle-Preference",),
    ),
    Option(
        "retry_config",
        Retries('{"timeout": {"retries": 2}}'),
        "Retries by reason",
        'Your own apps only: {"server_error": {"retries": 2}}, also timeout, connection_error.',
        headers=("X-Fal-Retry-Config",),
        modes=(QUEUE,),
    ),
    Option(
        "no_retry",
        Switch(("1", "true", "yes")),
        "No retry by fal's queue",
        "",
        headers=("X-Fal-No-Retry",),
        modes=(QUEUE,),
    ),
    Option(
        "disable_fallback",
        Switch(("true", "1")),
        "No fallback to another provider",
        "",
        headers=("X-App-Fal-Disable-Fallback",),
        also=("X-Fal-Disable-Fallback", "X-Fal-Disable-Fallbacks"),
        modes=(QUEUE, *DIRECT),
    ),
)

BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}
BY_HEADER: Mapping[str, Option] = {
    header.lower(): option for option in OPTIONS for header in (*option.headers, *option.also)
}
BY_QUERY: Mapping[str, Option] = {option.query: option for option in OPTIONS if option.query}
