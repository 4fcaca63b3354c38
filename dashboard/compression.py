"""Pages and their JSON are compressed; streams, downloads and media never are."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED = ("text/html", "application/json")
MOST_BYTES = 2 * 1024 * 1024  # 40 ms of the thread in which all pages are made


class CompressedPages(GZipMiddleware):
    """Django's, for replies of pages alone: a stream arrives event by event, a file as it is kept.

    BREACH guesses a secret by the length of many replies that hold it beside a text of the attacker's.
    Django hides the length behind up to a hundred random bytes (`max_random_bytes`), and masks the
    CSRF token anew in each reply; other secrets are shown once.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress what is a page, for a browser that says it takes gzip."""
        return super().process_response(request, response) if _is_page(response) else response


def _is_page(response: HttpResponseBase) -> bool:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return (
        isinstance(response, HttpResponse)  # a stream is none
        and content_type in COMPRESSED
        and "Content-Disposition" not in response.headers
        and response.status_code != 206
        and len(response.content) <= MOST_BYTES
    )
