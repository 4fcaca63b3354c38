"""`{% page_modules "list" %}`: the modules of a page, from its entry in static/js/pages.

A module names what it imports, so a browser would find a page's modules one level at a time. The
page names all of them in its head instead, and they are fetched side by side.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboard.module_imports import imported_by

register = template.Library()


@register.simple_tag
def page_modules(entry: str) -> SafeString:
    """Write the links for the modules that the entry needs, and the script that starts it."""
    return _links(entry, static(f"js/pages/{entry}.js"))


@lru_cache(maxsize=256)
def _links(entry: str, address: str) -> SafeString:
    """Write them once for an entry at its address, which changes where static files move."""
    links = ((static(name),) for name in modules_of(entry)[1:])
    return format_html(
        '{}<script type="module" src="{}"></script>',
        format_html_join("", '<link rel="modulepreload" href="{}">\n  ', links),
        address,
    )


@cache
def modules_of(entry: str) -> tuple[str, ...]:
    """Return the static files of an entry, itself first: what it imports, and what that imports.

    Raises LookupError for a module that is not there.
    """
    found = [f"js/pages/{entry}.js"]
    for name in found:  # grows meanwhile
        found += [other for other in _imports_of(name) if other not in found]
    return tuple(found)


def _imports_of(name: str) -> list[str]:
    path = finders.find(name)
    if path is None:
        raise LookupError(f"There is no module {name!r}.")
    return imported_by(name, Path(path).read_text(encoding="utf-8"))
