"""The command `faldeck`: results go to standard output, progress and errors to standard error.

Exit codes: 0 done; 1 the request failed or was cancelled; 2 wrong use, or refused; 3 Faldeck does not answer;
4 the time is over; 5 the same input is open or has just run.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .calls import AnyJSON
from .errors import (
    DuplicateRequestError,
    FalClientConnectionError,
    FalClientError,
    FalClientTimeoutError,
    RequestFailedError,
)
from .handles import SyncRequestHandle
from .realtime import RealtimeError
from .replay import paced, send_again
from .statuses import Completed, InProgress, Queued, Status
from .sync import SyncClient
from .version import __version__

app = typer.Typer(no_args_is_help=True, help="Requests to fal through a Faldeck.")
told = Console(stderr=True, highlight=False)
ARROWS = {"in": "<", "out": ">"}
COLUMNS = ("id", "status", "endpoint_id", "person", "created_at", "summary")

Endpoint = Annotated[str, typer.Argument(help="fal's id of the model: owner/alias")]
RequestId = Annotated[str, typer.Argument(metavar="ID", help="Faldeck's id of the request")]
Members = Annotated[
    list[str] | None, typer.Argument(help="name=text, or name:=JSON for numbers and the like")
]
Given = Annotated[str, typer.Option("--input", "-i", help="JSON, @FILE, or - for standard input")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, one value a line")]
Again = Annotated[bool, typer.Option("--again", help="also when the same input has just run")]
Limit = Annotated[float | None, typer.Option("--timeout", help="seconds; then it is cancelled")]


@app.command()
def run(
    endpoint: Endpoint,
    members: Members = None,
    given: Given = "",
    timeout: Limit = None,
    again: Again = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Submit a request, show how it goes, and print its output."""
    arguments = arguments_of(given, members or [])
    with SyncClient(allow_duplicate=again) as client, told.status("Submitting") as spinner:
        shown = Shown()

        def tell(status: Status) -> None:
            spinner.update(words_for(status))
            shown.logs(status)

        output = client.subscribe(
            endpoint, arguments, with_logs=True, on_queue_update=tell, client_timeout=timeout
        )
    say(output, as_json=as_json)


@app.command()
def submit(
    endpoint: Endpoint,
    members: Members = None,
    given: Given = "",
    again: Again = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Submit a request and print its id."""
    arguments = arguments_of(given, members or [])
    with SyncClient(allow_duplicate=again) as client:
        handle = client.submit(endpoint, arguments)
        typer.echo(json.dumps({"id": handle.request_id}) if as_json else handle.request_id)


@app.command()
def stream(
    endpoint: Endpoint,
    members: Members = None,
    given: Given = "",
    again: Again = False,  # noqa: FBT002
) -> None:
    """Print the events of a stream, one JSON a line."""
    arguments = arguments_of(given, members or [])
    with SyncClient(allow_duplicate=again) as client:
        for event in client.stream(endpoint, arguments):
            say(event, as_json=True)


@app.command()
def replay(
    request_id: RequestId,
    speed: Annotated[float, typer.Option(min=0, help="2 is twice as fast, 0 at once")] = 1,
    send: Annotated[bool, typer.Option("--send", help="to a new session")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Play a recorded stream or session at its own pace, or send a session's messages once more."""

    def tell(direction: str, text: str) -> None:
        shown = json.dumps({"direction": direction, "data": text})
        typer.echo(shown if as_json else f"{ARROWS[direction]} {plain(text)}")

    with SyncClient() as client:
        if send:
            send_again(client, request_id, speed, tell)
            return
        for frame in paced(client.frames(request_id), speed):
            if as_json:
                say(frame, as_json=True)
            else:
                tell(frame["direction"], frame["data"])


@app.command()
def status(request_id: RequestId, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Print the state of a request; with --json all that is known of it."""
    with SyncClient() as client:
        handle = handle_of(client, request_id)
        if as_json:
            say(handle.details(), as_json=True)
        else:
            typer.echo(words_for(handle.status()))


@app.command()
def logs(
    request_id: RequestId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="until the end")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Print the log of a request."""
    with SyncClient() as client:
        handle = handle_of(client, request_id)
        shown = Shown(to_output=True, as_json=as_json)
        if not follow:
            shown.lines(handle.logs())
        else:
            for state in handle.iter_events(with_logs=True):
                shown.logs(state)


@app.command()
def watch(request_id: RequestId, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Print each state of a request until it has ended."""
    with SyncClient() as client:
        for state in handle_of(client, request_id).iter_events():
            value = {"state": type(state).__name__, **vars(state)}
            typer.echo(json.dumps(value) if as_json else words_for(state))


@app.command()
def result(
    request_id: RequestId,
    to: Annotated[Path | None, typer.Option("--output", "-o", help="its bytes to a file")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Wait for the end of a request, and print its output."""
    with SyncClient() as client:
        handle = handle_of(client, request_id)
        ended = [state for state in handle.iter_events() if isinstance(state, Completed)]
        if to is None or any(state.error for state in ended):
            say(handle.get(), as_json=as_json)
        else:
            to.write_bytes(handle.output())


@app.command()
def cancel(request_id: RequestId) -> None:
    """Ask for a cancel; `watch` shows when fal says that it is done."""
    with SyncClient() as client:
        handle_of(client, request_id).cancel()


@app.command("list")
def list_requests(
    query: Annotated[list[str] | None, typer.Argument(help="as in the search box")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200)] = 20,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List the team's requests, newest first."""
    with SyncClient() as client:
        rows = client.requests(" ".join(query or []), limit=limit)
    if as_json:
        for row in rows:
            say(row, as_json=True)
        return
    cells = [[plain(str(row[name])) for name in COLUMNS] for row in rows]
    if not sys.stdout.isatty():
        for each in cells:
            typer.echo("\t".join(each))
        return
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, no_wrap=name in ("id", "status"), overflow="fold")
    for each in cells:
        table.add_row(*map(escape, each))
    Console(highlight=False).print(table)


@app.command()
def mcp() -> None:
    """Serve the team's requests to an AI client as MCP tools, over standard input and output."""
    try:
        module = importlib.import_module(f"{__package__}.mcp_tools")
    except ModuleNotFoundError as missing:
        told.print(f'{missing.name} is missing: pip install "faldeck[cli,mcp] @ URL"', markup=False)
        raise typer.Exit(2) from missing
    module.serve_stdio()


@app.command()
def version() -> None:
    """Print the version of this package."""
    typer.echo(__version__)


class Shown:
    """Prints the lines of a log that were not printed yet."""

    def __init__(self, *, to_output: bool = False, as_json: bool = False) -> None:
        self._to_output, self._as_json = to_output, as_json
        self._number = 0

    def logs(self, status: Status) -> None:
        """Print what a state adds."""
        if isinstance(status, InProgress | Completed) and status.logs:
            self.lines(status.logs)

    def lines(self, lines: Sequence[AnyJSON]) -> None:
        """Print what comes after the lines before."""
        for line in lines[self._number :]:
            if self._to_output:
                typer.echo(json.dumps(line) if self._as_json else plain(line["message"]))
            else:
                told.print(plain(line["message"]), style="dim", markup=False)
        self._number = len(lines)


def handle_of(client: SyncClient, request_id: str) -> SyncRequestHandle:
    """Return the handle of a request that was submitted before."""
    return client.get_handle("", request_id)


def plain(text: str) -> str:
    """Return the text without what a terminal would obey: a model wrote it."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


def say(value: Any, *, as_json: bool) -> None:
    """Print a value, on one line or to be read."""
    typer.echo(json.dumps(value, indent=None if as_json else 2))


def words_for(status: Status) -> str:
    """Return the state in words."""
    if isinstance(status, Queued):
        return f"in queue, position {status.position}" if status.position else "waiting"
    if isinstance(status, InProgress):
        return "in progress"
    assert isinstance(status, Completed)  # noqa: S101
    return f"ended: {plain(status.error)}" if status.error else "completed"


def arguments_of(given: str, members: Sequence[str]) -> AnyJSON:
    """Return the input from JSON and single members. Raises BadParameter."""
    text = given
    if given == "-":
        text = sys.stdin.read()
    try:
        if given.startswith("@"):
            text = Path(given[1:]).read_text(encoding="utf-8")
        value: Any = json.loads(text) if text else {}
        if not isinstance(value, dict):
            raise typer.BadParameter("The input is a JSON object.")
        for member in members:
            name, is_there, raw = member.partition("=")
            if not is_there or not name.removesuffix(":"):
                raise typer.BadParameter(f"{member!r} is neither name=text nor name:=JSON.")
            value[name.removesuffix(":")] = json.loads(raw) if name.endswith(":") else raw
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"The input cannot be read: {error}") from error
    return value


def code_for(error: FalClientError) -> int:
    """Return the exit code."""
    for code, kind in (
        (1, RequestFailedError), (3, FalClientConnectionError), (4, FalClientTimeoutError),
        (5, DuplicateRequestError),
    ):  # fmt: skip
        if isinstance(error, kind):
            return code
    return 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; ends with SystemExit."""
    try:
        app(arguments, prog_name="faldeck")
    except RealtimeError as error:
        told.print(plain(str(error)), style="red", markup=False, soft_wrap=True)
        raise SystemExit(1) from None
    except FalClientError as error:
        told.print(plain(str(error)), style="red", markup=False, soft_wrap=True)
        if isinstance(error, DuplicateRequestError):
            told.print(f"It is {error.request_id}; --again submits it all the same.", markup=False)
        raise SystemExit(code_for(error)) from None
