"""Who calls a page and from where, for the audit trail."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from requests_app.accounts.network import network_of
from requests_app.audit import NO_TEAM, Origin, acted, acting, note_denied
from requests_app.views.login import CAUSE

logger = logging.getLogger(__name__)
DENIED = 403

Handler = Callable[[HttpRequest], HttpResponseBase]


def known_origin(get_response: Handler) -> Handler:
    """Let the trail know the caller of each request; runs after authentication."""

    def known(request: HttpRequest) -> HttpResponseBase:
        token = acting(lambda: _origin_of(request))
        try:
            response = get_response(request)
            if response.status_code == DENIED and request.user.is_authenticated:
                _note_denied(request, response)
            return response
        finally:
            acted(token)

    return known


def _note_denied(request: HttpRequest, response: HttpResponseBase) -> None:
    membership = getattr(request, "_membership", None)
    try:
        note_denied(
            request.path,
            response.get(CAUSE, ""),
            team_id=membership.team_id if membership else NO_TEAM,
        )
    except DatabaseError:  # the refusal stands without its entry
        logger.exception("A denial could not be noted in the audit trail.")


def _origin_of(request: HttpRequest) -> Origin:
    name = request.user.get_username() if request.user.is_authenticated else ""
    return Origin(name, address=network_of(request))
