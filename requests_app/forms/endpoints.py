"""The forms of the endpoints page: a search, an endpoint id."""

from __future__ import annotations

from typing import Any

from django import forms

from requests_app.catalogue import pasted
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId

MOST_WORDS = 200  # characters of a search
MOST_CATEGORY = 80


class EndpointSearch(forms.Form):
    """Narrows the list. What is too long is cut, for an address may hold anything."""

    q = forms.CharField(required=False)
    category = forms.CharField(required=False)
    favourite = forms.CharField(required=False)

    @property
    def values(self) -> dict[str, str]:
        """Return what was given, without the empty ones."""
        given = {
            "q": self._text("q", MOST_WORDS),
            "category": self._text("category", MOST_CATEGORY),
            "favourite": "1" if self._text("favourite", 1) == "1" else "",
        }
        return {name: value for name, value in given.items() if value}

    def _text(self, name: str, most: int) -> str:
        return str(self.data.get(name, "")).replace("\0", "").strip()[:most]


class EndpointIdForm(forms.Form):
    """An endpoint id as it is typed. After `is_valid()`: `endpoint`."""

    endpoint_id = forms.CharField(
        label="Endpoint id",
        max_length=300,
        strip=False,
        error_messages={"required": "Give the endpoint id, such as owner/app."},
    )

    endpoint: EndpointId

    def clean_endpoint_id(self) -> Any:
        try:
            self.endpoint = EndpointId.parse(self.cleaned_data["endpoint_id"])
        except InvalidEndpointId as error:
            raise forms.ValidationError(str(error)) from None
        return str(self.endpoint)


class DocumentForm(EndpointIdForm):
    """A pasted or chosen `openapi.json` of an own app. After `is_valid()`: `endpoint`, `raw`."""

    document = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    file = forms.FileField(required=False)

    raw: bytes

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        file, text = values.get("file"), values.get("document", "")
        if file is not None and file.size > pasted.MAX_BYTES:
            self.add_error("document", pasted.too_large(file.size))
        elif file is not None:
            self.raw = file.read()
        elif text.strip():
            self.raw = text.encode(errors="replace")
        elif "file" not in self.errors:
            self.add_error("document", "Paste the document, or choose its file.")
        return values

    @property
    def sentences(self) -> list[str]:
        """All errors: the page has one place for them."""
        return [str(one) for errors in self.errors.values() for one in errors]


class SeenChangeForm(EndpointIdForm):
    """The change of an endpoint's fields whose notice is dismissed. After `is_valid()`: `endpoint`, `at`."""

    at = forms.DateTimeField()
