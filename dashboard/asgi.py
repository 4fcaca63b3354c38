"""The ASGI application: HTTP and WebSocket. A socket is accepted only from a page of this site."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import django
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.core.handlers.asgi import ASGIHandler
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup(set_prefix=False)  # loads the apps, which the imports below need


class OneThread(ASGIHandler):
    """Django's handler, with all middleware of an HTTP request in one thread hop.

    Django runs middleware that could be async on the loop, and each of its synchronous halves in
    the thread again: about twenty hops for a request with a synchronous view, as nearly all of
    ours are.
    """

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 (Django's)
        """Build the chain of a synchronous handler, called from the loop."""
        super().load_middleware(is_async=False)
        chain = self._middleware_chain  # type: ignore[has-type]
        self._middleware_chain = sync_to_async(chain, thread_sensitive=True)


django_application = OneThread()

from dashboard.inert import inert_replies  # noqa: E402
from dashboard.origin import SameOrigin  # noqa: E402
from dashboard.sessions import ReadOnlySession  # noqa: E402
from requests_app.routing import (  # noqa: E402
    http_prefixes,
    over_the_site,
    socket_prefixes,
    websocket_urlpatterns,
)


def by_prefix(prefixes: Mapping[str, Any], otherwise: Any) -> Any:
    """Return an application that gives a call to the one whose prefix its path has."""

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        own = (app for prefix, app in prefixes.items() if scope["path"].startswith(prefix))
        await next(own, otherwise)(scope, receive, send)

    return dispatch


async def no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """Refuse a socket of a path that there is not; Channels would log it as an error of ours."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


over_django = {prefix: over(django_application) for prefix, over in over_the_site.items()}
for_programs = {
    prefix: inert_replies(app) for prefix, app in {**http_prefixes, **over_django}.items()
}
http_application = by_prefix(for_programs, django_application)
no_path = re_path("", no_such_socket)  # type: ignore[arg-type]  # Channels takes applications
socket_paths = URLRouter([*websocket_urlpatterns, no_path])
page_sockets = SameOrigin(CookieMiddleware(ReadOnlySession(AuthMiddleware(socket_paths))))
application = ProtocolTypeRouter(
    {"http": http_application, "websocket": by_prefix(socket_prefixes, page_sockets)}
)
