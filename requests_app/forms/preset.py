"""What is typed to save a preset: a name beside the fields of the request form."""

from __future__ import annotations

from typing import Any

from django import forms

from requests_app.forms.option_fields import OptionForm, initial_of
from requests_app.forms.submit import editable
from requests_app.models import Mode, Preset
from requests_app.presets.template import InvalidTemplate, Template
from requests_app.request_input import Draft, InvalidDraft, parse_draft

NAME_LENGTH = 80
_WORDS = {"input": "", "endpoint_id": "The endpoint: ", "mode": "The mode: "}


class NameForm(forms.Form):
    """A preset's name."""

    name = forms.CharField(
        max_length=NAME_LENGTH, error_messages={"required": "Give the preset a name."}
    )


class PresetForm(OptionForm, NameForm):
    """After `is_valid()`: `draft`. All errors are at the name, the one field beside the button."""

    endpoint_id = forms.CharField(required=False, strip=False)
    mode = forms.CharField(required=False)
    input = forms.CharField(required=False, strip=False)

    draft: Draft

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        try:
            self.draft = draft_of(
                endpoint_id=values.get("endpoint_id", ""),
                mode=values.get("mode") or Mode.QUEUE,
                input=str(values.get("input", "")).replace("\r\n", "\n"),
                options=self.given(),
            )
        except InvalidDraft as invalid:
            for field, sentences in invalid.errors.items():
                self.add_error("name", [f"{_WORDS.get(field, '')}{one}" for one in sentences])
        return values

    @property
    def sentences(self) -> list[str]:
        """All errors, also those of the options."""
        return [str(one) for errors in self.errors.values() for one in errors]


def draft_of(**fields: Any) -> Draft:
    """Validate what a preset or batch is made of. Raises InvalidDraft, also for a wrong variable."""
    draft = parse_draft(**fields)
    try:
        Template(draft.input_text)
    except InvalidTemplate as error:
        raise InvalidDraft({"input": [str(error)]}) from None
    return draft


def values_of_preset(preset: Preset) -> dict[str, Any]:
    """Return the request form's values for a preset."""
    return {
        "endpoint_id": preset.endpoint_id,
        "mode": preset.mode,
        "input": editable(preset.text),
        **initial_of(preset.options),
    }
