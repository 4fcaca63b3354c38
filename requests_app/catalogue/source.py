"""Fetch an endpoint's document from the configured address, without the key: documents are public.

Source: fal serves them at `FAL_OPENAPI_URL`, for the queue of each endpoint; an own app (`LOCAL_APPS`) serves its
own, with a path for each of its endpoints.
"""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings

from dashboard.local_apps import app_of
from requests_app.catalogue.document import MAX_BYTES
from requests_app.catalogue.download import DownloadError, download
from requests_app.fal.endpoints import EndpointId

TIMEOUT_S = 5.0  # per step
DEADLINE_S = 10.0  # in all
_NONE_AT_FAL = "fal has no schema for this endpoint."


class SourceError(Exception):
    """The document is not available; the message is a sentence for users."""


def fetch(endpoint: EndpointId) -> bytes:
    """Return the document as it came. One GET, no redirects. Raises SourceError."""
    app = app_of(str(endpoint))
    url = settings.FAL_OPENAPI_URL.replace("{endpoint_id}", quote(str(endpoint), safe=""))
    if app:
        url = f"{app.url}/openapi.json"
    try:
        return download(
            url, what="The schema", most=MAX_BYTES, timeout_s=TIMEOUT_S, deadline_s=DEADLINE_S
        )
    except DownloadError as error:
        if error.status == 404:
            whose = "The app serves no openapi.json." if app else _NONE_AT_FAL
            raise SourceError(whose) from error
        raise SourceError(str(error)) from error
