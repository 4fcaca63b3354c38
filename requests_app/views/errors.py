"""Error pages: what happened, why, what to do. They need no database, session or template context.

A 404 has the same bytes for a foreign object as for a missing one.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from requests_app.views.access import Hidden
from requests_app.views.login import CAUSE, is_script

_ROLE = "Your role in this team does not allow this. An owner or admin of the team can change your role."
# Why the CSRF check refused a POST: the cause for scripts -> a title, what to do.
_CSRF_CAUSES = {
    "origin": (
        "This was sent from another address",
        "Nothing was done. Open this site at its own address and try again. Its administrator sets the "
        "address as PUBLIC_URL.",
    ),
    "cookie": (
        "Your browser sent no cookie",
        "Nothing was done. Allow cookies for this site, reload the page and try again.",
    ),
    "csrf": (
        "This form is out of date",
        "Nothing was sent. You may have logged in since you opened it. Go back, reload the page and try "
        "again.",
    ),
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the address or the form is malformed; 413: it is too large."""
    if isinstance(exception, RequestDataTooBig):
        return too_large(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    return error_page(
        request, 400, "Bad request", "The address or the form is not valid. Go back and try again."
    )


def too_large(request: HttpRequest, most: int) -> HttpResponse:
    """413: the form has more than so many bytes."""
    text = f"This site takes {most:,} bytes of such a form at once, and nothing was sent."
    if request.headers.get("HX-Request"):  # the page is still open, with what was typed
        return HttpResponse(text, status=413, content_type="text/plain; charset=utf-8")
    return error_page(
        request, 413, "Too large", f"{text} Go back: your browser still has what you typed."
    )


def gone(request: HttpRequest, why: str) -> HttpResponse:
    """410: a link that worked before."""
    return error_page(request, 410, "This link no longer works", f"{why} Ask for another one.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: logged in but not allowed; the exception may carry the reason as a sentence."""
    title = "Hidden from you" if isinstance(exception, Hidden) else "Not allowed"
    response = error_page(request, 403, title, str(exception or "") or _ROLE)
    response[CAUSE] = "role"
    return response


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: missing, or not yours."""
    return error_page(
        request,
        404,
        "Page not found",
        "The address may be wrong, or the page belongs to a team you are not in.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a bug of ours."""
    return error_page(
        request,
        500,
        "Something went wrong",
        "The error is in the server's log. Requests already sent to fal go on: "
        "look at the list before you submit again.",
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 after a failed CSRF check. ``reason`` is for developers and not shown."""
    cause = _csrf_cause(request, reason)
    response = error_page(request, 403, *_CSRF_CAUSES[cause])
    response[CAUSE] = cause
    return response


def _csrf_cause(request: HttpRequest, reason: str) -> str:
    if reason.startswith(("Origin checking failed", "Referer checking failed")):
        return "origin"
    return "csrf" if request.COOKIES else "cookie"


def error_page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """Return an HTML page, or the same words as JSON for programs."""
    if request.path.startswith("/api/") or is_script(request):
        return JsonResponse({"detail": f"{title}. {text}"}, status=status)
    body = render_to_string("error.html", {"code": status, "title": title, "text": text})
    return HttpResponse(body, status=status)
