"""The team's choice about the same request twice."""

from __future__ import annotations

from django import forms

MOST_MINUTES = 1440


class DuplicatesForm(forms.Form):
    """How long to ask; empty: never."""

    minutes = forms.IntegerField(required=False, min_value=1, max_value=MOST_MINUTES)
