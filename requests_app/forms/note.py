"""A user's words on a request."""

from __future__ import annotations

from django import forms

NOTE_LENGTH = 1000  # characters


class NoteForm(forms.Form):
    """What is typed below the timeline."""

    text = forms.CharField(
        max_length=NOTE_LENGTH,
        error_messages={
            "required": "Type the note first.",
            "max_length": f"A note has at most {NOTE_LENGTH:,} characters.",
        },
    )
