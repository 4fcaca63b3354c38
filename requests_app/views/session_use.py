"""Middleware that notes when, from where and with what a log-in session is used."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from requests_app.accounts.network import network_of
from requests_app.models.session import SessionStore

logger = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponseBase]


def session_used(get_response: Handler) -> Handler:
    """Note the use of a session that the request has read; runs right after Django's own middleware."""

    def used(request: HttpRequest) -> HttpResponseBase:
        _note_caller(request)
        response = get_response(request)
        _note_caller(request)  # a log-in by an identity provider has put another store here
        session = cast(SessionStore, request.session)
        if session.accessed:
            try:
                session.note_use()
            except DatabaseError:  # the page stands without it
                logger.exception("The use of a session could not be noted.")
        return response

    return used


def _note_caller(request: HttpRequest) -> None:
    session = cast(SessionStore, request.session)
    session.note_caller(network_of(request), request.headers.get("User-Agent", ""))
