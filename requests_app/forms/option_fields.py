"""Platform options as form fields, one per entry of the table, and custom headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms

from requests_app.fal.headers import (
    HEADERS,
    MAX_TOTAL_BYTES,
    InvalidHeader,
    platform_options,
    understand,
)
from requests_app.fal.option_kinds import MAX_JSON_BYTES, BadValue, Choice, OnOff, Switch
from requests_app.fal.options import BY_NAME, EVERYWHERE, OPTIONS, Option

MOST_TYPED = 2 * MAX_TOTAL_BYTES  # characters of custom headers, with spaces and empty lines
YES, NO = "yes", "no"  # of a field that also has "As the account is set"


class TextOption(forms.CharField):
    """A typed option, read by the same rule as a header's text."""

    def __init__(self, option: Option) -> None:
        super().__init__(label=option.label, required=False, max_length=MAX_JSON_BYTES)
        self.option = option

    def clean(self, value: Any) -> Any:
        """Return the option's value, None when nothing was typed."""
        text = super().clean(value)
        try:
            return self.option.kind.read(text) if text else None
        except BadValue as error:
            raise forms.ValidationError(f"{self.option.label} {error}") from error


def _field_of(option: Option) -> forms.Field:
    kind = option.kind
    if isinstance(kind, Choice):
        words = list(kind.words.items())
        return forms.ChoiceField(
            label=option.label, choices=words, initial=kind.usual, required=False
        )
    if isinstance(kind, OnOff):
        answers = [("", "As the account is set"), (YES, kind.yes), (NO, kind.no)]
        return forms.ChoiceField(label=option.label, choices=answers, required=False)
    if isinstance(kind, Switch):
        return forms.BooleanField(label=option.label, required=False)
    return TextOption(option)


@dataclass(frozen=True)
class OptionRow:
    """What a template needs to draw one option."""

    option: Option
    field: forms.BoundField

    @property
    def widget(self) -> str:
        """Return select, check or text."""
        if isinstance(self.option.kind, Choice | OnOff):
            return "select"
        return "check" if isinstance(self.option.kind, Switch) else "text"

    @property
    def heeded(self) -> str:
        """Return the modes in which fal heeds the option; empty for all."""
        modes = self.option.modes
        return "" if modes == EVERYWHERE else " ".join(modes)


class OptionForm(forms.Form):
    """The options that have a meaning in a mode (all of them without one), and custom headers."""

    def __init__(self, *args: Any, mode: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.options = [one for one in OPTIONS if not mode or mode in one.modes]
        self.fields |= {one.name: _field_of(one) for one in self.options}
        self.fields[HEADERS] = forms.CharField(
            label="Own headers", required=False, max_length=MOST_TYPED, widget=forms.Textarea
        )

    @property
    def typed_rows(self) -> list[OptionRow]:
        """Return the options that are typed or selected."""
        return [row for row in self._rows() if row.widget != "check"]

    @property
    def checked_rows(self) -> list[OptionRow]:
        """Return the options that are ticked."""
        return [row for row in self._rows() if row.widget == "check"]

    def _rows(self) -> Iterator[OptionRow]:
        for option in self.options:
            yield OptionRow(option, self[option.name])

    @property
    def options_open(self) -> bool:
        """Whether to show the options: one is set, or one is invalid."""
        names = [*(option.name for option in self.options), HEADERS]
        return any(self._is_set(name) or name in self.errors for name in names)

    def _is_set(self, name: str) -> bool:
        value = self[name].value()
        return bool(value) and value != self.fields[name].initial

    def clean_headers(self) -> dict[str, str]:
        """Parse ``Name: value`` lines into pairs."""
        return parse_header_lines(self.cleaned_data[HEADERS])

    def given(self) -> dict[str, Any]:
        """Return only what was set: fal's own defaults apply to the rest."""
        values = {
            name: _given(BY_NAME[name], self.cleaned_data.get(name))
            for name in self.cleaned_data.keys() & BY_NAME.keys()
        }
        values[HEADERS] = self.cleaned_data.get(HEADERS) or None
        return {name: value for name, value in values.items() if value is not None}


def _given(option: Option, cleaned: Any) -> Any:
    kind = option.kind
    if isinstance(kind, Choice):
        return cleaned if cleaned not in ("", kind.usual) else None
    if isinstance(kind, OnOff):
        return {YES: True, NO: False}.get(cleaned)
    return (cleaned or None) if isinstance(kind, Switch) else cleaned


def initial_of(stored: Mapping[str, Any], *, mode: str = "") -> dict[str, Any]:
    """Return the field values for the options of an earlier request.

    An option without a field in a form of this mode is shown as the header it was.
    """
    options: dict[str, Any] = platform_options(stored)
    with suppress(InvalidHeader):  # stored before a rule became stricter: checked again when sent
        options = understand(options)
    headers = dict(options.pop(HEADERS, {}))
    fields: dict[str, Any] = {}
    for name, value in options.items():
        option = BY_NAME[name]
        if not mode or mode in option.modes:
            fields[name] = _shown(option, value)
        elif text := option.kind.write(value):
            headers |= dict.fromkeys((header.lower() for header in option.headers[:1]), text)
    return fields | {HEADERS: "\n".join(f"{name}: {value}" for name, value in headers.items())}


def _shown(option: Option, value: Any) -> Any:
    if isinstance(option.kind, OnOff):
        return YES if value else NO
    return value if isinstance(option.kind, Choice | Switch) else option.kind.write(value)


def parse_header_lines(text: str) -> dict[str, str]:
    """Parse ``Name: value`` lines into pairs; blank lines are ignored. Raises ValidationError."""
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or not name:
            raise forms.ValidationError(f"Line {number}: write it as name: value.")
        if name.lower() in {known.lower() for known in pairs}:
            raise forms.ValidationError(f"Line {number}: {name} is given twice.")
        pairs[name] = value.strip()
    return pairs
