"""What a request shows to those who may not see inputs and outputs: the one list of what is taken out.

A row that is loaded by `FalRequestQuerySet.shown_to` or `read_by` has these columns emptied before any view, schema
or template sees it; a page says once why. Of an error the type and the HTTP status stay: its sentence, of every kind, may quote the input.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model

EMPTIED: dict[str, Any] = {
    "input_text": "",
    "summary": "",
    "search_text": "",
    "seed": None,
    "input_digest": "",
    "output": None,
    "output_type": "",
    "output_size": 0,
    "thumbnail_url": "",
    "media_kinds": None,
    "media": None,
    "error_key": None,
}


def kind_of_error(error_type: str | None, error_code: int | None) -> str:
    """Return what is told of an error without its sentence."""
    code = f"HTTP {error_code}" if error_code else ""
    return " · ".join(filter(None, [error_type, code]))


def conceal(row: Model) -> None:
    """Empty the columns of a loaded request that hold, or were made of, its input and output.

    They are emptied whether or not they were loaded, so that none is fetched later. Never save such a row.
    """
    known = row.__dict__
    for name, value in EMPTIED.items():
        setattr(row, name, value)
    kind = kind_of_error(known.get("error_type"), known.get("error_code"))
    row.error = kind if known.get("error") else ""  # type: ignore[attr-defined]
    row.options = {}  # type: ignore[attr-defined] # callers' own headers are among them
    metrics = known.get("metrics") or {}
    row.metrics = {name: one for name, one in metrics.items() if isinstance(one, int | float)}  # type: ignore[attr-defined]
    if earlier := row._state.fields_cache.get("again_of"):
        conceal(earlier)


def conceal_answer(row: Model) -> None:
    """Empty what a loaded notice, channel or attempt tells of an answer, in which a receiver may repeat what it was sent.

    Never save such a row.
    """
    if row.__dict__.get("answer"):
        row.answer = ""  # type: ignore[attr-defined]
    if row.__dict__.get("disabled_why"):
        row.disabled_why = "Messages to it failed."  # type: ignore[attr-defined]
