"""Read the file of a run: everything is checked before anything is stored."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from requests_app.models import ENDED, Mode
from requests_app.request_input import Draft, InvalidDraft, parse_draft, parse_session
from requests_app.rules.json_bounds import OverBound, ensure_bounded
from requests_app.rules.tag_names import BadTags, tag_names
from requests_app.runfile import layout
from requests_app.runfile.shapes import (
    DeliveriesLine,
    FramesLine,
    LogsLine,
    ObservationsLine,
    ToldFacts,
    ToldRun,
)
from requests_app.runfile.writing import FileNote, content_digest
from requests_app.runfile.zip_reading import NotARunFile, UnpackedFile, unpack

MOST_OF_RUN = 4 * 1024 * 1024  # bytes of run.json
MOST_OF_LINE = 16 * 1024 * 1024  # bytes of a line of a table
MOST_OF_HISTORY = 8 * 1024 * 1024  # bytes of observations.jsonl, which a page reads
MOST_LINES = 200_000  # of a table

Told = TypeVar("Told", bound=BaseModel)


@dataclass(frozen=True)
class ReadRun:
    """A run's file that may be imported: columns, rows of other tables, and what is kept as it came."""

    facts: ToldFacts
    facts_text: str
    draft: Draft | None  # None: input and output were removed before the file was made
    content: str
    site: str
    output: bytes
    logs: list[dict[str, str]]
    frames: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]
    observations: str
    schema: bytes | None
    schema_seen_at: datetime | None
    tags: tuple[str, ...]
    media: dict[str, str]  # files of the zip by the address that they were fetched from


def read_run(file: IO[bytes]) -> ReadRun:
    """Return what is in the file. Raises NotARunFile."""
    files = unpack(file)
    run, told = _run_of(files)
    _ensure_whole(run, told, files)
    facts = run.request
    if facts.status not in ENDED:
        raise NotARunFile(
            "The run had not ended when its file was made. Download it again once it has."
        )
    is_removed = facts.times.get("payload_removed_at") is not None
    outputs = [one.data for name, one in files.items() if name.startswith("output.")]
    if is_removed and (outputs or layout.INPUT in files):
        raise NotARunFile("run.json says that input and output were removed, but they are there.")
    if not is_removed and (layout.INPUT not in files or len(outputs) > 1):
        raise NotARunFile("The zip has no input.json, or several outputs.")
    output = outputs[0] if outputs else b""
    if not is_removed and len(output) != facts.output_size:
        raise NotARunFile("run.json names another size for the output.")
    schema = files.get(layout.SCHEMA)
    return ReadRun(
        facts=facts,
        facts_text=json.dumps(told["request"]),
        draft=None if is_removed else _draft(facts, _text(layout.INPUT, files[layout.INPUT].data)),
        content=run.content,
        site=run.exported_from.site,
        output=output,
        logs=[line.model_dump() for line in _lines(files, layout.LOGS, LogsLine)],
        frames=[_frame(line) for line in _lines(files, layout.FRAMES, FramesLine)],
        deliveries=[
            _delivery(line, files) for line in _lines(files, layout.DELIVERIES, DeliveriesLine)
        ],
        observations=_checked_observations(files),
        schema=schema.data if schema else None,
        schema_seen_at=run.schema_first_seen_at,
        tags=_tags(run.tags),
        media=_media(run, files),
    )


def _run_of(files: Mapping[str, UnpackedFile]) -> tuple[ToldRun, dict[str, Any]]:
    if layout.RUN not in files:
        raise NotARunFile("The zip has no run.json: it is not the file of a run.")
    data = files[layout.RUN].data
    if len(data) > MOST_OF_RUN:
        raise NotARunFile(f"run.json is larger than {MOST_OF_RUN // 2**20} MB.")
    told = _json(layout.RUN, data)
    if not isinstance(told, dict) or told.get("format") != layout.FORMAT:
        raise NotARunFile("run.json does not say that it is the file of a run.")
    if told.get("version") != layout.VERSION:
        version = str(told.get("version"))[:20]
        raise NotARunFile(
            f"The file has version {version} of the format; this Faldeck reads version {layout.VERSION}."
        )
    return _valid(layout.RUN, ToldRun, told), told


def _ensure_whole(run: ToldRun, told: Any, files: Mapping[str, UnpackedFile]) -> None:
    """Compare every file with what run.json says of it."""
    listed = {one.name: one for one in run.files}
    if len(listed) < len(run.files):
        raise NotARunFile("run.json lists a file twice.")
    for name in sorted(listed.keys() ^ (files.keys() - {layout.RUN})):
        where = "is missing from the zip" if name in listed else "is not listed in run.json"
        raise NotARunFile(f"{name[:80]} {where}.")
    for name, one in listed.items():
        if (one.size, one.sha256) != (files[name].size, files[name].sha256):
            raise NotARunFile(
                f"{name} is not as run.json says: the file was changed or is damaged."
            )
    what = {"request": told["request"], "tags": told["tags"]}
    notes = [FileNote(one.name, one.size, one.sha256) for one in run.files]
    if content_digest(what, notes) != run.content:
        raise NotARunFile("run.json was changed: its digest of the content is another.")


def _draft(facts: ToldFacts, text: str) -> Draft:
    options = dict(facts.options)
    try:
        if facts.mode == Mode.REALTIME:
            return parse_session(
                endpoint_id=facts.endpoint_id,
                path=str(options.pop("path", "")),
                max_buffering=options.pop("max_buffering", None),
                auth=str(options.pop("auth", "token")),
                options=options,
            )
        return parse_draft(
            endpoint_id=facts.endpoint_id, mode=facts.mode, input=text, options=options
        )
    except InvalidDraft as error:
        raise NotARunFile(f"The run cannot be kept: {error}") from None


def _media(run: ToldRun, files: Mapping[str, UnpackedFile]) -> dict[str, str]:
    there = (one for one in run.media if one.file in files)
    return {one.url: one.file for one in there if one.file and one.file.startswith("media/")}


def _tags(names: list[str]) -> tuple[str, ...]:
    try:
        return tag_names(names)
    except BadTags as error:
        raise NotARunFile(str(error)) from None


def _lines(files: Mapping[str, UnpackedFile], name: str, model: type[Told]) -> Iterator[Told]:
    if name not in files:
        raise NotARunFile(f"The zip has no {name}.")
    lines = files[name].data.split(b"\n")
    if len(lines) > MOST_LINES:
        raise NotARunFile(f"{name} has more than {MOST_LINES:,} lines.")
    for line in filter(None, lines):
        if len(line) > MOST_OF_LINE:
            raise NotARunFile(f"A line of {name} is larger than {MOST_OF_LINE // 2**20} MB.")
        yield _valid(name, model, _json(name, line))


def _frame(line: FramesLine) -> dict[str, Any]:
    return {**line.model_dump(), "raw": None if line.raw is None else _bytes(line.raw)}


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise NotARunFile(f"{layout.FRAMES} has a message that is not base64.") from None


def _delivery(line: DeliveriesLine, files: Mapping[str, UnpackedFile]) -> dict[str, Any]:
    if not line.body.startswith("deliveries/") or line.body not in files:
        raise NotARunFile(f"{line.body[:80]} is missing from the zip.")
    return {**line.model_dump(), "body": files[line.body].data}


def _checked_observations(files: Mapping[str, UnpackedFile]) -> str:
    for _ in _lines(files, layout.OBSERVATIONS, ObservationsLine):
        pass
    data = files[layout.OBSERVATIONS].data
    if len(data) > MOST_OF_HISTORY:
        raise NotARunFile(f"{layout.OBSERVATIONS} is larger than {MOST_OF_HISTORY // 2**20} MB.")
    return _text(layout.OBSERVATIONS, data)


def _text(name: str, data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise NotARunFile(f"{name} is not UTF-8 text.") from None
    if "\0" in text:
        raise NotARunFile(f"{name} has a NUL character.")
    return text


def _json(name: str, data: bytes) -> Any:
    text = _text(name, data)
    try:
        ensure_bounded(text)
        return json.loads(text)
    except OverBound as error:
        raise NotARunFile(f"{name} {error}") from None
    except (ValueError, RecursionError):
        raise NotARunFile(f"{name} is not JSON.") from None


def _valid(name: str, model: type[Told], value: Any) -> Told:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise NotARunFile(f"{name}: {place or 'it'}: {first['msg']}.") from None
