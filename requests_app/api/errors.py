"""Error responses: a sentence under `detail`, or a list of {loc, msg, type} for invalid input."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from requests_app.accounts.rates import TooManyCalls
from requests_app.api.body import TooMuch, UnreadableBody
from requests_app.api.rows import BadSearch
from requests_app.lifecycle import AlreadyRunning, KeyReused, TooManyOpen
from requests_app.paging import InvalidCursor
from requests_app.request_input import InvalidDraft
from requests_app.uploads.starting import NotStarted

MAX_MESSAGE = 500  # characters; a message may quote what was sent
SEAT_FREE_S = "5"  # when to ask again whether one of the open streams has ended
_ARGUMENTS = {"payload", "filters"}  # names of our own parameters, which mean nothing to a caller


class TooManyStreams(Exception):
    """The token already follows as many requests as it may."""


class NotNow(Exception):
    """What the call needs does not answer at the moment; the sentence says what."""


class BadHeader(ValueError):
    """A request header has an invalid value."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


class Refusals:
    """The response to each exception, on one API object."""

    def __init__(self, api: NinjaAPI) -> None:
        self.api = api
        answers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
            AuthenticationError: self.unauthorized,
            Http404: self.not_found,
            HttpError: self.http_error,
            ValidationError: self.invalid,
            InvalidDraft: self.invalid_draft,
            KeyReused: self.key_reused,
            AlreadyRunning: self.already_running,
            InvalidCursor: self.bad_cursor,
            BadSearch: self.bad_search,
            BadHeader: self.bad_header,
            RequestDataTooBig: self.too_large,
            TooManyStreams: self.too_many_streams,
            TooManyCalls: self.too_many_calls,
            TooManyOpen: self.too_many_calls,
            NotStarted: self.not_started,
            NotNow: self.not_now,
            OperationalError: self.unavailable,
            InterfaceError: self.unavailable,
        }
        for error, handler in answers.items():
            api.add_exception_handler(error, handler)

    def unauthorized(self, request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        """Answer the same for no token, an unknown or revoked one, and a removed member."""
        response = self._say(request, 401, "A valid API token is needed.")
        response["WWW-Authenticate"] = "Bearer"
        return response

    def not_found(self, request: HttpRequest, error: Http404) -> HttpResponse:
        """Answer foreign and unknown ids with the same bytes."""
        return self._say(request, 404, "Not found.")

    def http_error(self, request: HttpRequest, error: HttpError) -> HttpResponse:
        """Answer ninja's own errors; our sentence is the cause of its "cannot parse"."""
        if isinstance(error.__cause__, UnreadableBody):
            sentence = str(error.__cause__)
            return self._list(request, 400, [_problem(["body"], sentence, "json_invalid")])
        if isinstance(error.__cause__, TooMuch):
            return self._too_much(request, error.__cause__)
        return self._say(request, error.status_code, str(error))

    def invalid(self, request: HttpRequest, error: ValidationError) -> HttpResponse:
        """Answer wrong types, missing and unknown fields."""
        problems = [_problem(_place(e["loc"]), e["msg"], e["type"]) for e in error.errors]
        return self._list(request, 422, problems)

    def invalid_draft(self, request: HttpRequest, error: InvalidDraft) -> HttpResponse:
        """Answer invalid request input, field by field."""
        return self._list(request, 422, list(_draft_problems(error.errors)))

    def key_reused(self, request: HttpRequest, error: KeyReused) -> HttpResponse:
        """Answer a reuse of an Idempotency-Key with another body."""
        where = ["header", "Idempotency-Key"]
        return self._list(request, 422, [_problem(where, str(error), "idempotency_key_reused")])

    def already_running(self, request: HttpRequest, error: AlreadyRunning) -> HttpResponse:
        """Answer the same input again with the request that has it."""
        told = {"detail": str(error), "id": str(error.row.public_id)}
        return self.api.create_response(request, told, status=409)

    def bad_cursor(self, request: HttpRequest, error: InvalidCursor) -> HttpResponse:
        """Answer a cursor that was made up, or belongs to another team."""
        sentence = "This is no cursor of this list."
        return self._list(request, 422, [_problem(["query", "cursor"], sentence, "value_error")])

    def bad_search(self, request: HttpRequest, error: BadSearch) -> HttpResponse:
        """Answer invalid search terms: ignoring them would return too much."""
        problems = [_problem(["query", "q"], text, "value_error") for text in error.problems]
        return self._list(request, 422, problems)

    def bad_header(self, request: HttpRequest, error: BadHeader) -> HttpResponse:
        """Answer a header that cannot be parsed."""
        where = ["header", error.name]
        return self._list(request, 422, [_problem(where, str(error), "value_error")])

    def too_large(self, request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        """Answer a body over the site's limit."""
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return self._say(request, 413, f"The body is too large: this site takes {most:,} bytes.")

    def _too_much(self, request: HttpRequest, error: TooMuch) -> HttpResponse:
        if error.in_bytes:
            return self._say(request, 413, str(error))
        return self._list(request, 422, [_problem(["body"], str(error), "too_large")])

    def too_many_streams(self, request: HttpRequest, error: TooManyStreams) -> HttpResponse:
        """Answer a stream beyond the token's limit."""
        response = self._say(request, 429, str(error))
        response["Retry-After"] = SEAT_FREE_S
        return response

    def too_many_calls(
        self, request: HttpRequest, error: TooManyCalls | TooManyOpen
    ) -> HttpResponse:
        """Answer a call beyond the token's rate, or a submit beyond what may be open; nothing was done."""
        response = self._say(request, 429, str(error))
        response["Retry-After"] = error.retry_after
        return response

    def not_started(self, request: HttpRequest, error: NotStarted) -> HttpResponse:
        """Answer an upload that fal, or this site, does not let start."""
        response = self._say(request, error.status, str(error))
        if error.retry_after_s:
            response["Retry-After"] = str(math.ceil(error.retry_after_s))
        return response

    def unavailable(
        self, request: HttpRequest, error: OperationalError | InterfaceError
    ) -> HttpResponse:
        """Answer while the database is down or locked: nothing was stored, the call may be
        repeated.
        """
        return self.not_now(request, NotNow("The database does not answer; try again."))

    def not_now(self, request: HttpRequest, error: NotNow) -> HttpResponse:
        """Answer while a store of files is away, too: nothing was done."""
        response = self._say(request, 503, str(error))
        response["Retry-After"] = "5"
        return response

    def _say(self, request: HttpRequest, status: int, sentence: str) -> HttpResponse:
        return self.api.create_response(request, {"detail": sentence}, status=status)

    def _list(
        self, request: HttpRequest, status: int, problems: list[dict[str, Any]]
    ) -> HttpResponse:
        return self.api.create_response(request, {"detail": problems}, status=status)


def _problem(loc: Sequence[str | int], msg: str, kind: str) -> dict[str, Any]:
    return {"loc": list(loc), "msg": msg[:MAX_MESSAGE], "type": kind}


def _place(loc: Sequence[str | int]) -> list[str | int]:
    return [part for at, part in enumerate(loc) if at != 1 or part not in _ARGUMENTS]


def _draft_problems(errors: Mapping[str, Sequence[str]]) -> Iterable[dict[str, Any]]:
    for field, sentences in errors.items():
        for sentence in sentences:
            yield _problem(["body", field], sentence, "value_error")
