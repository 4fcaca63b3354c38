"""`{% drawn "lib/_nav.html" frame "query view" is_user=True %}`: a part of pages that depends on a few values, drawn once for them.

The part's template sees these values and nothing else, so what is kept for one page cannot hold what belongs to
another user's. Its forms get the CSRF token of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from secrets import token_hex
from types import MappingProxyType
from typing import Any

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.loader import get_template
from django.utils.safestring import SafeString

register = template.Library()

MOST_KEPT = 512  # texts of some kilobytes each
Plain = str | int | bool | None
KINDS = (str, int, bool, type(None))
_TOKEN = token_hex(32)  # stands in a kept text where the page's CSRF token belongs


@register.simple_tag(takes_context=True)
def drawn(
    context: Mapping[str, Any],
    template_name: str,
    source: Mapping[str, Any] = MappingProxyType({}),
    names: str = "",
    **values: Plain,
) -> SafeString:
    """Draw a template from these values, and from those of these `names` of `source`.

    Raises TypeError for a value that can change, or that is markup.
    """
    values |= {name: source.get(name) for name in names.split()}
    if wrong := [name for name, value in values.items() if type(value) not in KINDS]:
        raise TypeError(f"Not a plain value: {', '.join(wrong)}.")
    # The addresses of files are others once hashed copies of them are in use.
    text = _kept(template_name, staticfiles_storage.url("icons.svg"), **values)
    token = str(context.get("csrf_token") or "")
    return SafeString(text.replace(_TOKEN, token))  # nosec B703  # a template's text


# typed: 1 and True are equal, and are not drawn alike
@lru_cache(maxsize=MOST_KEPT, typed=True)
def _kept(template_name: str, _files: str, /, **values: Plain) -> str:
    found: template.Template = get_template(template_name).template  # type: ignore[attr-defined]
    return found.render(template.Context({**values, "csrf_token": _TOKEN}))
