"""Markup is filled as Django's `format_html` fills it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from requests_app.display.markup import fill
from requests_app.models import Status

VALUES = [
    "plain", "", "<", ">", "&", '"', "'", "&amp;", "{x}", "ü 日本", 7, None, Decimal("1.50"), True,
    Status.FAILED, mark_safe("<b>&"), gettext_lazy("<i>"), b"<", ["<"],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_escaped_unless_it_is_safe(value: object) -> None:
    for markup, args, named in (("<p>{}</p>", [value], {}), ('<p x="{x}">', [], {"x": value})):
        found = fill(markup, *args, **named)
        assert found == format_html(markup, *args, **named)
        assert type(found) is SafeString
