"""What the list shows: the team's rows, the search in the URL, and filters to narrow it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from requests_app.listed import ListedRow, listed
from requests_app.models import HIDDEN, FalRequest, Status, Team
from requests_app.models.compiled import CompiledQuery
from requests_app.models.request import FalRequestQuerySet
from requests_app.search import (
    NOT_SEARCHED,
    Matches,
    Scope,
    Search,
    Sorted,
    numbers_of,
    parse_search,
)
from requests_app.search.language import Term
from requests_app.search.sorting import ORDERS
from requests_app.views.access import membership_of, sees_in, team_in_links, team_of

COUNT_LIMIT = 1000  # a higher count costs the database and helps no reader
LIST, GALLERY = "list", "gallery"  # names of the pages
RECENT = 500  # newest rows whose endpoints the filter offers

CHIPS = {
    "active": "Active",
    "completed": "Completed",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "uncertain": "Uncertain",
}
# Endpoint, icon, title, what happens
_SANDBOX_EXAMPLES = [
    ("sandbox/image", "image", "An image", "A picture after a few seconds."),
    ("sandbox/slow", "clock", "A slow one", "Waits in line, then works: watch it live."),
    ("sandbox/text", "stream", "Streamed text", "Words arrive one by one."),
]
_EXAMPLES = [
    ("fal-ai/flux/schnell", "image", "An image", "Give it a prompt; a picture in about a second."),
    ("fal-ai/any-llm", "send", "An answer in words", "Give it a prompt and a model's name."),
    ("fal-ai/whisper", "audio", "Speech to text", "Give it the URL of a recording."),
]


class Links(NamedTuple):
    """What addresses of the page have beside their search. Plain values, by which menus of links are kept."""

    team: int | None  # where addresses must name it
    sort: str
    view: str
    page: str
    table: str
    prefix: str  # where the installation is

    def url(self, search: Search, cursor: str = "") -> str:
        """Return the page's address for another search, or another part of this one, in the same order."""
        return list_url(
            q=str(search),
            cursor=cursor,
            team=self.team,
            sort=self.sort,
            view=self.view,
            page=self.page,
            table=self.table,
        )


@dataclass(frozen=True)
class Listing:
    """The search, and the team's rows that are shown for it.

    A search with errors is not run: the rest of it would find too much. The list then shows the
    previous search, which the page sends along as ``last``; without one, nothing.
    """

    team: Team
    me: str
    user_pk: int | None
    text: str  # the text in the search box
    problems: tuple[str, ...]  # why it is invalid
    search: Search  # the search that is run
    is_refused: bool  # there is no valid search to show
    in_links: int | None  # the team, where addresses must name it
    sort: str = ""  # of ORDERS; newest first
    view: str = ""  # the saved view that the page began with
    page: str = LIST  # or the gallery, which shows what has media
    table: str = ""  # how the page shows the table, where that is not the user's or the view's
    sees: bool = False  # inputs and outputs

    @classmethod
    def of(cls, request: HttpRequest, *, team: Team | None = None, page: str = "") -> Listing:
        """Read the query string; unknown parameters are ignored. `team`: another one than the page's.

        What belongs to the gallery and is no `page` says so in the query: `as=gallery`.
        """
        text = request.GET.get("q", "")
        sees = sees_in(request, team.pk if team else membership_of(request).team_id)
        asked = readable(parse_search(text), sees=sees)
        last = readable(parse_search(request.GET.get("last", "")), sees=sees)
        is_known = bool(last.terms) and not last.problems
        return cls(
            team or team_of(request),
            request.user.get_username(),
            request.user.pk,
            text,
            asked.problems,
            search=asked if not asked.problems else last if is_known else Search(),
            is_refused=bool(asked.problems) and not is_known,
            in_links=team.pk if team else team_in_links(request),
            sort=sort if (sort := request.GET.get("sort", "")) in ORDERS else "",
            view=request.GET.get("view", "")[:36],
            page=page or page_asked(request.GET.get("as", "")),
            table=request.GET.get("table", "")[:200],
            sees=sees,
        )

    def readable(self, search: Search) -> Search:
        """Return the search, with a problem where the reader may not see what it asks for."""
        return readable(search, sees=self.sees)

    @property
    def hidden(self) -> str:
        """Say once for all rows why they have no input and output."""
        return "" if self.sees else HIDDEN

    @property
    def is_gallery(self) -> bool:
        return self.page == GALLERY

    @property
    def has_terms(self) -> bool:
        return bool(self.search.terms)

    @property
    def is_everything(self) -> bool:
        """Whether all rows of the team are shown."""
        return not (self.has_terms or self.is_gallery or self.is_refused)

    @property
    def shows_failures(self) -> bool:
        """Whether nothing but failed requests is asked for."""
        return self.search.value("status") == Status.FAILED

    @property
    def address(self) -> str:
        """Return the page's address without a query."""
        return reverse(f"requests:{self.page}")

    @property
    def everything(self) -> FalRequestQuerySet:
        return FalRequest.objects.filter(team=self.team)

    @cached_property
    def scope(self) -> Scope:
        return Scope(self.team.pk, self.me, self.sees)

    def matching(self, search: Search | None = None) -> Matches:
        """Return what matches this search, or the given one; in the gallery what of it has media."""
        asked = search or self.search
        if self.is_gallery and not any(
            term.key == "has" and not term.negated for term in asked.terms
        ):
            asked = replace(asked, terms=(Term("has", "media"), *asked.terms))
        return Matches(self.scope, asked, Q(pk__in=[]) if self.is_refused else Q())

    @cached_property
    def ordered(self) -> Matches | Sorted:
        """Return what matches, in the order that is asked for."""
        return Sorted(self.matching(), ORDERS[self.sort]) if self.sort else self.matching()

    @property
    def percent(self) -> int:
        """How much of the history words are searched in; 100 when no word is asked for."""
        has_words = any(term.is_of_words for term in self.search.terms)
        return self.scope.percent if has_words else 100

    def listed(self, keys: list[int]) -> list[ListedRow]:
        """Load what the table shows of these rows."""
        return listed(keys, team=self.team.pk, sees=self.sees, stars_of=self.user_pk)

    def url(self, search: Search, cursor: str = "") -> str:
        return self.links.url(search, cursor)

    @cached_property
    def links(self) -> Links:
        prefix = get_script_prefix()
        return Links(self.in_links, self.sort, self.view, self.page, self.table, prefix)

    @property
    def as_list(self) -> str:
        """Return the address of the same as a table."""
        return self.links._replace(page=LIST).url(self.search)

    @property
    def as_gallery(self) -> str:
        """Return the address of the same as a gallery."""
        return self.links._replace(page=GALLERY).url(self.search)

    @property
    def kept(self) -> dict[str, str | int]:
        """Return what a form of the page sends along beside the search."""
        named = {
            "team": self.in_links or "",
            "sort": self.sort,
            "view": self.view,
            "table": self.table,
        }
        return {name: value for name, value in named.items() if value}


def readable(search: Search, *, sees: bool) -> Search:
    """Return the search, with a problem where its answer would tell of inputs and outputs that are not to be seen."""
    if sees or not search.asks_for_payloads:
        return search
    return replace(search, problems=(*search.problems, NOT_SEARCHED))


class Chip(NamedTuple):
    """One filter: its address, its count ("1,000+"), and whether it is chosen."""

    word: str
    url: str
    number: str
    chosen: bool


def chips_of(listing: Listing) -> list[Chip]:
    """Count rows per status under the other filters. Active includes uncertain."""
    search = listing.search
    chosen = search.value("status")
    numbers = dict(zip(CHIPS, _numbers(listing), strict=True))
    total = sum(number for name, number in numbers.items() if name != "uncertain")
    all_url = listing.url(search.setting("status"))
    has_status = any(term.key == "status" for term in search.terms)
    return [
        Chip("All", all_url, _number(total), not has_status),
        *(
            Chip(
                word,
                listing.url(search.setting("status", name)),
                _number(numbers[name]),
                name == chosen,
            )
            for name, word in CHIPS.items()
        ),
    ]


def _numbers(listing: Listing) -> tuple[int, ...]:
    """Count the rows of each status, in one query."""
    if listing.is_everything:
        return _OF_STATUSES.all(team=listing.team.pk)[0]
    asked = [listing.matching(listing.search.setting("status", name)) for name in CHIPS]
    found: tuple[int, ...] = numbers_of(listing.scope, asked, COUNT_LIMIT + 1).get()
    return found


def _of_statuses(team: Any) -> QuerySet[Team, Any]:
    scope = Scope(team, "", sees=True)
    asked = [Matches(scope, Search().setting("status", name)) for name in CHIPS]
    return numbers_of(scope, asked, COUNT_LIMIT + 1)


_OF_STATUSES: CompiledQuery[tuple[int, ...]] = CompiledQuery(_of_statuses)


def _number(number: int) -> str:
    return f"{COUNT_LIMIT:,}+" if number > COUNT_LIMIT else f"{number:,}"


def recent_endpoints(listing: Listing) -> list[str]:
    """Return the newest rows' endpoints, by name. (A DISTINCT over all rows would read all rows.)"""
    return sorted({name for (name,) in _RECENT.all(team=listing.team.pk)})


_RECENT: CompiledQuery[tuple[str]] = CompiledQuery(
    lambda team: (
        FalRequest.objects.filter(team=team).order_by("-pk").values_list("endpoint_id")[:RECENT]
    )
)


def page_asked(name: str) -> str:
    """Return the page that a parameter names: the list, unless it is the gallery."""
    return GALLERY if name == GALLERY else LIST


def list_url(
    q: str = "",
    cursor: str = "",
    *,
    team: int | None,
    sort: str = "",
    view: str = "",
    table: str = "",
    page: str = LIST,
) -> str:
    """Return the address of the list, or of the gallery; it names the team for a user who is in several."""
    named = {"team": team, "q": q, "sort": sort, "view": view, "table": table}
    asked = urlencode({name: value for name, value in named.items() if value})
    query = "&".join(part for part in (asked, cursor) if part)
    return _address(page, get_script_prefix()) + (f"?{query}" if query else "")


@cache
def _address(page: str, _prefix: str) -> str:
    """Look a page's address up once for a place of the installation: a page of the list has forty of it."""
    return reverse(f"requests:{page}")


def examples(*, team: int | None) -> list[dict[str, str]]:
    """Return examples for a first visit. Without a key the sandbox answers them."""
    named = {"team": team} if team else {}
    return [
        {
            "endpoint": endpoint,
            "icon": icon,
            "title": title,
            "text": text,
            "url": f"{reverse('requests:new')}?{urlencode({'endpoint': endpoint, **named})}",
        }
        for endpoint, icon, title, text in (_SANDBOX_EXAMPLES if settings.SANDBOX else _EXAMPLES)
    ]
