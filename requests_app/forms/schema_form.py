"""Fields of an endpoint as widgets: which control, with which JSON texts. Pure.

The page's script writes JSON texts into the input, so choices and defaults travel as JSON: "5" and 5 differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from requests_app.catalogue.fields import MISSING, Field
from requests_app.catalogue.kinds import Kind

BUTTONS = 5  # choices that stand side by side
BUTTON_LETTERS = 40  # of all of them together
FILTERED = 20  # choices from which on a list can be filtered by typing
WIDEST_SLIDER = 10_000  # steps; beyond that a slider cannot be set to anything

_PLAIN = {
    Kind.TEXT: "text", Kind.LONG_TEXT: "long_text", Kind.INTEGER: "number", Kind.NUMBER: "number",
    Kind.SEED: "seed", Kind.BOOLEAN: "switch", Kind.CHOICE_OR_TEXT: "combobox",
    Kind.CHOICE_OR_OBJECT: "size", Kind.CHECKBOXES: "checkboxes", Kind.COLOR: "color",
    Kind.OBJECT: "object", Kind.LIST: "list", Kind.MAP: "json", Kind.JSON: "json",
}  # fmt: skip


@dataclass(frozen=True)
class WidgetOption:
    """One choice: what is read, and its JSON text."""

    text: str
    json: str


@dataclass(frozen=True)
class Widget:
    """One field as it is drawn. `fields` and `item`: what lies inside."""

    field: Field
    control: str
    options: tuple[WidgetOption, ...] = ()
    fields: tuple[Widget, ...] = ()
    item: Widget | None = None

    @property
    def shows_name(self) -> bool:
        """Whether the title says something else than the name."""
        return self.field.title.lower().replace(" ", "_") != self.field.name.lower()

    @property
    def default_json(self) -> str:
        """The default as JSON text; empty without one."""
        return "" if self.field.default is MISSING else _json(self.field.default)

    @property
    def default_text(self) -> str:
        """The default as a person reads it; empty without one, or when it is long."""
        text = _shown(self.field.default) if self.field.default is not MISSING else ""
        return text if len(text) <= BUTTON_LETTERS else ""

    @property
    def placeholder(self) -> str:
        """Default, else an example."""
        example = self.field.example
        return self.default_text or (_shown(example) if isinstance(example, str) else "")

    @property
    def has_slider(self) -> bool:
        """Whether a slider can be set to every value."""
        bounds = self.field.bounds
        if not self.field.is_slider or bounds.minimum is None or bounds.maximum is None:
            return False
        return 0 < (bounds.maximum - bounds.minimum) / float(self.step or 0.01) <= WIDEST_SLIDER

    @property
    def low(self) -> str:
        """The lower bound as JSON."""
        return _json(self.field.bounds.minimum)

    @property
    def high(self) -> str:
        """The upper bound as JSON."""
        return _json(self.field.bounds.maximum)

    @property
    def step(self) -> str:
        """Of a number control; "any" for a number without one."""
        if self.field.bounds.step:
            return _json(self.field.bounds.step)
        return "1" if self.field.kind in (Kind.INTEGER, Kind.SEED) else self._fine_step()

    def _fine_step(self) -> str:
        bounds = self.field.bounds
        if bounds.minimum is None or bounds.maximum is None:
            return "0.01"
        return "0.01" if bounds.maximum - bounds.minimum <= 10 else "0.1"

    @property
    def limits_json(self) -> str:
        """fal's limits of a file, for the check in the browser; empty without any."""
        return _json(self.field.limits) if self.field.limits else ""

    @property
    def has_camera(self) -> bool:
        """Whether a phone can take the file with its camera or microphone."""
        return self.field.kind in (Kind.IMAGE, Kind.MASK, Kind.VIDEO, Kind.AUDIO)

    @property
    def limits(self) -> str:
        """What the schema allows, in short words."""
        b = self.field.bounds
        parts = [
            _range(b.minimum, b.maximum, exclusive=b.exclusive_minimum)
            if not self.has_slider
            else "",
            f"at most {b.max_length:,} characters" if b.max_length is not None else "",
            _range(b.min_items, b.max_items, of=" items"),
            *_file_limits(self.field.limits or {}),
        ]
        return ", ".join(filter(None, parts))


def widgets(fields: Iterable[Field]) -> list[Widget]:
    """The fields that are shown, each with its control."""
    return [_widget(field) for field in fields if not field.hidden]


def groups(fields: Iterable[Field]) -> tuple[list[Widget], list[Widget]]:
    """Main and more; when nothing is required or important, nothing is folded away."""
    shown = widgets(fields)
    main = [widget for widget in shown if widget.field.group == "main"]
    if not main:
        return shown, []
    return main, [widget for widget in shown if widget.field.group != "main"]


def _widget(field: Field) -> Widget:
    return Widget(
        field,
        _control(field),
        options=tuple(WidgetOption(_shown(value), _json(value)) for value in field.choices),
        fields=tuple(widgets(field.fields)),
        item=_widget(field.item) if field.item else None,
    )


def _control(field: Field) -> str:
    if field.is_media:
        return "media"
    if field.kind is not Kind.CHOICE:
        return _PLAIN[field.kind]
    letters = sum(len(_shown(value)) for value in field.choices)
    if len(field.choices) <= BUTTONS and letters <= BUTTON_LETTERS:
        return "buttons"
    return "filter" if len(field.choices) >= FILTERED else "select"


def _file_limits(limits: Any) -> list[str]:
    words = {
        "max_file_size": "at most {} bytes", "min_width": "at least {} px wide",
        "max_width": "at most {} px wide", "min_height": "at least {} px high",
        "max_height": "at most {} px high", "min_duration": "at least {} s", "max_duration": "at most {} s",
    }  # fmt: skip
    return [
        text.format(f"{limits[key]:,}")
        for key, text in words.items()
        if isinstance(limits.get(key), int | float)
    ]


def _range(
    least: float | None, most: float | None, *, exclusive: bool = False, of: str = ""
) -> str:
    if least is not None and most is not None:
        return f"{_number(least)} to {_number(most)}{of}"
    if least is not None:
        return f"{'more than' if exclusive else 'at least'} {_number(least)}{of}"
    return f"at most {_number(most)}{of}" if most is not None else ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
