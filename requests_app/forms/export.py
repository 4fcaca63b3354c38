"""What is exported in the background."""

from __future__ import annotations

from typing import Any

from django import forms

from requests_app.models import ExportFormat
from requests_app.search import Search, parse_search


class ExportForm(forms.Form):
    """A search and a format; after `is_valid()` the parsed `search`. `token`: of the page."""

    q = forms.CharField(required=False, strip=False)
    format = forms.ChoiceField(choices=ExportFormat.choices)
    token = forms.CharField(max_length=64)

    search: Search

    def clean(self) -> dict[str, Any]:
        """Read the search; a search with errors is not run."""
        self.search = parse_search(self.cleaned_data.get("q", ""))
        if self.search.problems:
            self.add_error("q", " ".join(self.search.problems))
        return self.cleaned_data
