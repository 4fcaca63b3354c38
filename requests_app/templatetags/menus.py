"""`{% filter_menu "Sort" filters.orders filters.order %}`: the menus above the list, and what they offer.

Written in Python, for a page has fifty choices: by a template for each they took longer than its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from requests_app.display.columns import COLUMNS, TableColumn, in_order
from requests_app.display.markup import NOTHING, fill, joined
from requests_app.templatetags.requests_extras import icon

register = template.Library()

CHOICE = '<a class="menu-item" href="{}"{}><span class="clip">{}</span>{}{}</a>'
CHOSEN = '<span class="end">{}</span>'
BY = '<span class="muted small">{}</span>'
MENU = """<details class="menu">
  <summary class="button"><span class="clip">{}</span>{}</summary>
  <div class="menu-list menu-scroll">{}</div>
</details>"""
NAMED = '<span class="visually-hidden">{}: </span>{}'
CURRENT = fill(' aria-current="true"')


class MenuChoice(Protocol):
    """What a menu offers: a word, where it leads, and whether it is chosen."""

    @property
    def word(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def chosen(self) -> bool: ...


@register.simple_tag
def menu_choices(choices: tuple[MenuChoice, ...]) -> SafeString:
    """Draw what a menu offers; plain tuples, by which the text is kept."""
    return _choices(choices, icon("check", label="chosen"))


@lru_cache(maxsize=512)
def _choices(choices: tuple[MenuChoice, ...], check: SafeString) -> SafeString:
    return joined(
        _choice(one.url, one.word, NOTHING, check if one.chosen else None) for one in choices
    )


@register.simple_tag
def filter_menu(word: str, choices: tuple[MenuChoice, ...], chosen: str) -> SafeString:
    """Draw a menu; `chosen`: what its button names, besides `word`."""
    name = fill(NAMED, word, chosen) if chosen else word
    return fill(MENU, name, icon("down"), menu_choices(choices))


@register.filter
def table_columns(look: str) -> list[tuple[TableColumn, bool]]:
    """Return the optional columns in the order that a look of the table has (`seed.id.compact`), and whether it shows them."""
    shown = tuple(name for name in look.split(".") if name in COLUMNS)
    return [(column, column.name in shown) for column in in_order(shown)]


@register.simple_tag(takes_context=True)
def view_choices(context: Mapping[str, Any], views: Iterable[Any]) -> SafeString:
    """Draw views of the list or gallery: ours, or those that are kept."""
    frame, user = context["frame"], context["user"]
    query = f"?as=gallery{frame['and_query']}" if context["listing"].is_gallery else frame["query"]
    chosen = context["views"].chosen
    return joined(
        _choice(
            reverse("requests:open_view", args=[view.public_id]) + query,
            view.name,
            fill(BY, _owner(view, user.pk)) if view.is_shared else NOTHING,
            icon("check", label="chosen") if view == chosen else None,
        )
        for view in views
    )


def _owner(view: Any, reader: int) -> str:
    return "shared" if view.owner_id == reader else f"by {view.owner.get_username()}"


def _choice(url: str, word: str, more: SafeString, check: SafeString | None) -> SafeString:
    """`check`: the icon of what is chosen."""
    current, mark = NOTHING, NOTHING
    if check is not None:
        current, mark = CURRENT, fill(CHOSEN, check)
    return fill(CHOICE, url, current, word, more, mark)
