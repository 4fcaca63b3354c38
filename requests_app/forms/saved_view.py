"""What is typed to keep a view of the list."""

from __future__ import annotations

from django import forms

from requests_app.search import MAX_LENGTH, parse_search
from requests_app.search.sorting import ORDERS


class ViewForm(forms.Form):
    """A name beside the present search, order and table."""

    name = forms.CharField(
        max_length=60,
        error_messages={
            "required": "Give the view a name.",
            "max_length": "A view's name has at most 60 characters.",
        },
    )
    is_shared = forms.BooleanField(required=False)
    q = forms.CharField(required=False, max_length=MAX_LENGTH)
    sort = forms.ChoiceField(required=False, choices=[("", ""), *((one, one) for one in ORDERS)])

    table = forms.CharField(required=False, max_length=200)

    def clean_q(self) -> str:
        """Return the search in its canonical form. Raises ValidationError."""
        search = parse_search(self.cleaned_data["q"])
        if search.problems:
            raise forms.ValidationError(list(search.problems))
        return str(search)

    @property
    def sentences(self) -> list[str]:
        return [str(sentence) for found in self.errors.values() for sentence in found]
