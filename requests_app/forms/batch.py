"""What is typed to make a batch: an input with variables, and where its rows come from."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from django import forms

from requests_app.batches.making import MOST_CONCURRENT, Plan
from requests_app.batches.sheet import Sheet, parse_grid, read_csv, read_grid, read_jsonl
from requests_app.forms.option_fields import OptionForm
from requests_app.forms.preset import NAME_LENGTH, draft_of
from requests_app.models import SUBMITTABLE, Mode, Preset
from requests_app.request_input import InvalidDraft

SOURCES = {"file": "A file", "text": "Pasted rows", "grid": "A grid"}


class BatchForm(OptionForm):
    """After `is_valid()`: `plan` and `sheet`, which reads the rows."""

    name = forms.CharField(max_length=NAME_LENGTH, required=False)
    preset = forms.UUIDField(required=False, widget=forms.HiddenInput)
    endpoint_id = forms.CharField(
        max_length=300,
        strip=False,
        error_messages={"required": "Give the endpoint id, such as fal-ai/flux/dev."},
    )
    mode = forms.ChoiceField(choices=[(mode.value, mode.label) for mode in SUBMITTABLE])
    input = forms.CharField(strip=False, required=False, widget=forms.Textarea)
    source = forms.ChoiceField(choices=list(SOURCES.items()))
    file = forms.FileField(required=False)
    text = forms.CharField(strip=False, required=False, widget=forms.Textarea)
    grid = forms.CharField(strip=False, required=False, widget=forms.Textarea)
    concurrency = forms.IntegerField(min_value=1, max_value=MOST_CONCURRENT, initial=10)

    plan: Plan
    sheet: Callable[[], Sheet]

    def __init__(self, *args: Any, preset: Preset | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_preset = preset

    def clean(self) -> dict[str, Any]:
        """Validate the whole even when single fields are invalid: all errors are shown at once."""
        values = self.cleaned_data
        try:
            draft = draft_of(
                endpoint_id=values.get("endpoint_id", ""),
                mode=values.get("mode", Mode.QUEUE),
                input=str(values.get("input", "")).replace("\r\n", "\n"),
                options=self.given(),
            )
        except InvalidDraft as invalid:
            for field, sentences in invalid.errors.items():
                name = field if field in self.fields else "headers"
                if name not in self.errors:
                    self.add_error(name, sentences)
        else:
            self.plan = Plan(
                draft, values.get("name", ""), values.get("concurrency") or 1, self.stored_preset
            )
        self._find_sheet(values)
        return values

    def _find_sheet(self, values: dict[str, Any]) -> None:
        source = values.get("source")
        if source == "grid":
            typed = values.get("grid", "")
            self.sheet = lambda: read_grid(parse_grid(typed))
        elif source == "text":
            if not (text := values.get("text", "")).strip():
                self.add_error(
                    "text", "Paste the rows: CSV with a line of column names, or JSON Lines."
                )
            self._read(
                io.BytesIO(text.encode("utf-8", "replace")), is_jsonl=text.lstrip().startswith("{")
            )
        elif source == "file":
            file = values.get("file")
            if file is None:
                if "file" not in self.errors:
                    self.add_error("file", "Choose a CSV or JSON Lines file.")
                return
            self._read(file, is_jsonl=file.name.lower().endswith((".jsonl", ".ndjson", ".json")))

    def _read(self, file: Any, *, is_jsonl: bool) -> None:
        self.sheet = lambda: read_jsonl(file) if is_jsonl else read_csv(file)


class ConcurrencyForm(forms.Form):
    """How many requests of a batch may be open at once."""

    concurrency = forms.IntegerField(min_value=1, max_value=MOST_CONCURRENT)
