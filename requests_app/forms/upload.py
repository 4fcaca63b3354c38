"""What a page says of a file before it is sent."""

from __future__ import annotations

import re

from django import forms

NAME_LENGTH = 200
_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)
_UNUSABLE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u202a-\u202e\u2066-\u2069]+')
UNKNOWN_TYPE = "application/octet-stream"


class UploadForm(forms.Form):
    """Name, content type and size in bytes."""

    name = forms.CharField(max_length=1000, error_messages={"required": "The file has no name."})
    content_type = forms.CharField(required=False, max_length=500)
    size = forms.IntegerField(
        min_value=0,
        max_value=2**53,
        error_messages={
            "required": "The file's size is missing.",
            "invalid": "The size is no number.",
        },
    )

    def clean_name(self) -> str:
        """Keep what any file system takes; the ending stays, for fal makes the address of it."""
        name = _UNUSABLE.sub("_", str(self.cleaned_data["name"])).strip(" .") or "file"
        return name[-NAME_LENGTH:]

    def clean_content_type(self) -> str:
        """Return the type without parameters; an unreadable one is unknown."""
        named = str(self.cleaned_data["content_type"]).partition(";")[0].strip().lower()
        return named if _TYPE.fullmatch(named) else UNKNOWN_TYPE

    @property
    def sentence(self) -> str:
        """The first thing that is wrong."""
        return str(next(iter(self.errors.values()))[0])
