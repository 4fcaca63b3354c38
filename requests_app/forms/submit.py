"""The new-request form: validate fields into one request input, every error at its field."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from django import forms
from django.conf import settings

from requests_app.catalogue.fields import Field
from requests_app.catalogue.seeds import MOST_RUNS, NoSeeds, seeded_inputs
from requests_app.catalogue.validation import InputProblem
from requests_app.display.marks import own_names
from requests_app.fal.exactjson import laid_out, parse_exact
from requests_app.fal.headers import HEADERS
from requests_app.fal.jsontext import NotJson
from requests_app.forms.option_fields import OptionForm, initial_of
from requests_app.forms.short import LARGE_TEXT
from requests_app.models import SUBMITTABLE, FalRequest, Mode
from requests_app.request_input import Draft, InvalidDraft, parse_draft

MODE_HELP = {
    Mode.QUEUE: "fal keeps it until a runner is free; what fal's clients call subscribe. The usual choice.",
    Mode.RUN: "One call that waits for the answer: no queue, no retries, cut after {limit} s. For quick models.",
    Mode.STREAM: "Watch the output grow, event by event. Hanging up stops the work; cut after {limit} s.",
}
LONG_LINE = 80  # characters
GLIMPSE = 2_000  # characters of a large input that are shown


def new_token() -> str:
    """Return an idempotency key: one filled-in form creates one request, however often it is sent."""
    return uuid.uuid4().hex


class SubmitForm(OptionForm):
    """The submit form. After `is_valid()`: `draft`, `again_of` and `digest()`."""

    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)
    again_of = forms.UUIDField(required=False, widget=forms.HiddenInput)
    # Replaces an input that is too large for the page: the earlier request's input is sent
    # unchanged.
    input_of = forms.UUIDField(required=False, widget=forms.HiddenInput)
    endpoint_id = forms.CharField(label="Endpoint", max_length=300, strip=False)
    mode = forms.ChoiceField(
        choices=[(mode.value, mode.label) for mode in SUBMITTABLE],
        widget=forms.RadioSelect,
        initial=Mode.QUEUE,
    )
    input = forms.CharField(
        label="Input", strip=False, required=False, widget=forms.Textarea, initial="{}"
    )

    own_tags = forms.CharField(label="Tags", required=False, max_length=1000)

    # Several requests that differ in their seed; shown for endpoints that have one.
    runs = forms.IntegerField(required=False, min_value=1, max_value=MOST_RUNS, initial=1)

    unchecked = forms.BooleanField(required=False, widget=forms.HiddenInput)
    allow_duplicate = forms.BooleanField(required=False, widget=forms.HiddenInput)

    draft: Draft
    seed_runs: Sequence[tuple[int, Draft]] = ()  # of more than one run: each seed with its draft
    problems: Sequence[InputProblem] = ()  # of the input, by the schema or by fal
    may_override = False
    duplicate: FalRequest | None = None  # has the same input and is open, or has just run

    def take_seeds(self, field: Field | None) -> bool:
        """Make the drafts of several runs; an error at `runs` when there are none such. Return whether all is well."""
        count = self.cleaned_data.get("runs") or 1
        if count == 1:
            return True
        try:
            self.seed_runs = self._seeded(field, count)
        except NoSeeds as error:
            self.add_error("runs", str(error))
        return bool(self.seed_runs)

    def _seeded(self, field: Field | None, count: int) -> list[tuple[int, Draft]]:
        if field is None:
            raise NoSeeds(
                "This endpoint has no seed, so that several runs would be the same request."
            )
        if len(self.draft.input_text) > LARGE_TEXT:
            raise NoSeeds("The input is too large to be sent several times: submit it once.")
        inputs = seeded_inputs(field, self.draft.input_text, count)
        return [(seed, replace(self.draft, input_text=text)) for seed, text in inputs]

    def refuse_by_schema(self, problems: Sequence[InputProblem]) -> bool:
        """Take the schema's problems for errors, unless the person chose to send the input all the same."""
        if not problems or self.cleaned_data.get("unchecked"):
            return False
        self.problems, self.may_override = problems, True
        return True

    @property
    def problems_json(self) -> str:
        """For the page's script."""
        return json.dumps([asdict(problem) for problem in self.problems])

    def __init__(self, *args: Any, stored: FalRequest | None = None, **kwargs: Any) -> None:
        """`stored` is the request that `input_of` names, if the user may repeat it."""
        super().__init__(*args, **kwargs)
        self.stored = stored
        self.fields["token"].error_messages = {
            "required": "The form was incomplete. It has been renewed: press Submit again.",
            "invalid": "The form was damaged. It has been renewed: press Submit again.",
        }
        self.fields["endpoint_id"].error_messages["required"] = (
            "Give the endpoint id, such as fal-ai/flux/dev."
        )

    @property
    def mode_help(self) -> dict[str, str]:
        """Return one sentence per mode."""
        limits = {Mode.RUN: settings.RUN_TIMEOUT_S, Mode.STREAM: settings.STREAM_TIMEOUT_S}
        return {
            mode.value: sentence.format(limit=limits.get(mode))
            for mode, sentence in MODE_HELP.items()
        }

    def clean_input(self) -> str:
        """Normalize CRLF, which browsers send, to LF, which line numbers count."""
        if self.data.get("input_of") and not self.cleaned_data["input"].strip():
            if self.stored is None or self.stored.payload_removed_at is not None:
                raise forms.ValidationError(
                    "The earlier input is not there any more: type it here."
                )
            return self.stored.input_text
        return str(self.cleaned_data["input"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        """Validate the whole even when single fields are invalid: all errors are shown at once."""
        values = self.cleaned_data
        try:
            self.draft = parse_draft(
                endpoint_id=values.get("endpoint_id", ""),
                mode=values.get("mode", Mode.QUEUE),
                input=values.get("input", "{}"),
                options=self.given(),
                tags=[part for part in values.get("own_tags", "").split(",") if part.strip()],
            )
        except InvalidDraft as invalid:
            self.place(invalid.errors)
        return values

    def place(self, errors: Mapping[str, list[str]]) -> None:
        """Show each error at its field."""
        for key, sentences in errors.items():
            name = key if key in self.fields else HEADERS
            if name not in self.errors:
                self.add_error(name, list(sentences))

    def digest(self) -> str:
        """Return the hash that tells whether two forms are the same, for the idempotency key."""
        draft, again = self.draft, self.cleaned_data.get("again_of")
        same = [draft.endpoint_id, draft.mode, draft.input_text, draft.options, str(again)]
        same += [str(len(self.seed_runs))] if self.seed_runs else []
        same += [",".join(draft.tags)] if draft.tags else []
        return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def indented(text: str) -> str:
    """Indent a JSON text, keeping digits and escapes; return other text unchanged."""
    try:
        parse_exact(text)
    except NotJson:
        return text
    return laid_out(text)


def editable(text: str) -> str:
    """Return the text as typed; a long line, as programs send it, is indented."""
    return text if "\n" in text or len(text) <= LONG_LINE else indented(text)


def values_of(row: FalRequest) -> dict[str, Any]:
    """Return the form values of an earlier request ("Run again")."""
    is_large = len(row.input_text) > LARGE_TEXT
    return {
        "again_of": row.public_id,
        "input_of": row.public_id if is_large else None,
        "endpoint_id": row.endpoint_id,
        "mode": row.mode,
        "input": "" if is_large else editable(row.input_text),
        "own_tags": ", ".join(own_names(row)),
        **initial_of(row.options),
    }
