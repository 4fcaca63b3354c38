"""What a team keeps of its outputs' media."""

from __future__ import annotations

from typing import Any

from django import forms

from requests_app.copies.rules import CopyChoice
from requests_app.models import CopyRules
from requests_app.models.media_copy import GB, MB

MOST_GB = 1_000_000
MOST_MB = 1_000_000


class CopyRulesForm(forms.Form):
    """Off; or which kinds, up to which sizes."""

    is_on = forms.BooleanField(required=False)
    images = forms.BooleanField(required=False)
    videos = forms.BooleanField(required=False)
    audios = forms.BooleanField(required=False)
    others = forms.BooleanField(required=False)
    quota_gb = forms.IntegerField(min_value=1, max_value=MOST_GB)
    largest_mb = forms.IntegerField(min_value=1, max_value=MOST_MB)

    @classmethod
    def of(cls, rules: CopyRules) -> CopyRulesForm:
        """Return the form with what holds now."""
        flags = ("is_on", "images", "videos", "audios", "others")
        initial: dict[str, Any] = {name: getattr(rules, name) for name in flags}
        initial["quota_gb"] = max(1, rules.quota_bytes // GB)
        initial["largest_mb"] = max(1, rules.largest_bytes // MB)
        return cls(initial=initial)

    @property
    def kinds(self) -> list[tuple[forms.BoundField, str]]:
        """The kinds to choose from, each with its word."""
        words = {"images": "Images", "videos": "Videos", "audios": "Audio", "others": "Other files"}
        return [(self[name], word) for name, word in words.items()]

    def choice(self) -> CopyChoice:
        """Return what was chosen, of a valid form."""
        return CopyChoice(**self.cleaned_data)
