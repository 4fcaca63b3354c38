"""Which of fal's URLs and sessions are for an own app. Pure; the apps and where they are come from the settings alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qsl

from django.conf import settings

from dashboard.local_apps import LocalApp, app_of
from requests_app.fal.endpoints import EndpointId
from requests_app.fal.finished import PATH as LIST
from requests_app.fal.realtime_url import realtime_app


class Service(Enum):
    """What of fal's the URL belongs to."""

    QUEUE = "queue"
    RUN = "run"
    LIST = "list"


@dataclass(frozen=True)
class LocalPlace:
    """`path`: behind the app's id, without slashes around it."""

    app: LocalApp
    service: Service
    path: str
    query: dict[str, str]

    @property
    def app_url(self) -> str:
        """Where the app answers this path: it is served without its id."""
        return f"{self.app.url}/{self.path}"


def place_of(url: str) -> LocalPlace | None:
    """Return what the URL is for; None: fal, or another host."""
    if not settings.LOCAL_APPS:
        return None
    address, _, text = url.partition("?")
    query = dict(parse_qsl(text))
    for base, service in (
        (settings.FAL_QUEUE_URL, Service.QUEUE),
        (settings.FAL_RUN_URL, Service.RUN),
    ):
        rest = address.removeprefix(f"{base}/")
        if rest != address and (app := app_of(rest)):
            return LocalPlace(app, service, rest.removeprefix(app.id).strip("/"), query)
    if address == f"{settings.FAL_API_URL}{LIST}" and (app := app_of(query.get("endpoint_id", ""))):
        return LocalPlace(app, Service.LIST, "", query)
    return None


def session_url(endpoint: EndpointId, path: str, max_buffering: int | None) -> str | None:
    """Return where an own app holds a session of this endpoint; None: fal does."""
    app = app_of(str(endpoint))
    if app is None:
        return None
    below = realtime_app(endpoint, path).removeprefix(app.id).strip("/")
    query = "" if max_buffering is None else f"?max_buffering={max_buffering}"
    return f"ws{app.url.removeprefix('http')}/{below}{query}"
