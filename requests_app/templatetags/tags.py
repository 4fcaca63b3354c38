"""How tags are displayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from requests_app.display import marks
from requests_app.models import FalRequest, Tag
from requests_app.search import Term

register = template.Library()


@register.filter
def tags_of(row: FalRequest) -> list[Tag]:
    """Return a row's tags."""
    return marks.tags_of(row)


@register.simple_tag(takes_context=True)
def tag_url(context: Mapping[str, Any], tag: Tag) -> str:
    """Return the address of the list of the requests with this tag, in the page's team."""
    return list_of_tag(tag, context["frame"]["query"])


def list_of_tag(tag: Tag, team_query: str) -> str:
    """Return that address; `team_query`: the part of links that names the page's team."""
    query = urlencode({"q": search_for(tag)}) + team_query.replace("?", "&")
    return f"{reverse('requests:list')}?{query}"


def search_for(tag: Tag) -> str:
    """Return the search that finds a tag; up to a quotation mark, which no search can hold."""
    beginning, mark, _ = tag.name.partition('"')
    return str(Term("tag", f"{beginning}*" if mark else beginning))
