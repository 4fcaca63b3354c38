"""Keep pages short: a refused form shows what was typed again, but never megabytes of it.

The renderer is every form's (`FORM_RENDERER`), so no template and no form has to think of it.
"""

from __future__ import annotations

from typing import Any

from django.forms import BoundField, Textarea
from django.forms.renderers import DjangoTemplates
from django.forms.utils import ErrorList

LARGE_TEXT = 100_000  # characters of a text area; a larger text is never put into a page
LARGE_LINE = 5_000  # characters of any other field
LONGEST_SENTENCE = 1_000  # an error may quote what was typed


class ShortField(BoundField):
    """A field without a value that is too large for a page, and with short errors."""

    def value(self) -> Any:
        """Return what the field shows: empty in place of a text too large for a page."""
        return "" if self.is_left_out else super().value()

    @property
    def is_left_out(self) -> bool:
        """Whether something was typed that is too large to be shown again."""
        typed = super().value() if self.form.is_bound else ""
        most = LARGE_TEXT if isinstance(self.field.widget, Textarea) else LARGE_LINE
        return isinstance(typed, str) and len(typed) > most

    @property
    def errors(self) -> ErrorList:
        """Return the errors, each of a length that can be read."""
        found = super().errors
        sentences = [str(sentence) for sentence in found]
        if all(len(sentence) <= LONGEST_SENTENCE for sentence in sentences):
            return found
        short = [_beginning(sentence) for sentence in sentences]
        return self.form.error_class(short, renderer=self.form.renderer)


class ShortRenderer(DjangoTemplates):
    """Django's renderer with these fields."""

    bound_field_class = ShortField


def _beginning(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[:LONGEST_SENTENCE]}…"
