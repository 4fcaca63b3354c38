"""For how many days a team keeps what; empty: for ever."""

from __future__ import annotations

from django import forms

MOST_DAYS = 36_500


class RetentionForm(forms.Form):
    """Days after a request's end, and whether what goes by them goes at fal too."""

    payload = forms.IntegerField(required=False, min_value=1, max_value=MOST_DAYS)
    frames = forms.IntegerField(required=False, min_value=1, max_value=MOST_DAYS)
    rows = forms.IntegerField(required=False, min_value=1, max_value=MOST_DAYS)
    at_fal = forms.BooleanField(required=False)
