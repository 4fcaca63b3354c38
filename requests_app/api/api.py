"""The JSON API: one object that the URLconf mounts under /api/v1/."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router

from requests_app.api.acting import router as acting
from requests_app.api.auth import MANAGES, READS_ROWS
from requests_app.api.batches import router as batches
from requests_app.api.body import StrictParser
from requests_app.api.bulk import router as bulk
from requests_app.api.deleting import router as deleting
from requests_app.api.deliveries import router as deliveries
from requests_app.api.edges import ProgramsApi
from requests_app.api.endpoint_list import router as endpoint_list
from requests_app.api.endpoints import router as endpoints
from requests_app.api.error_groups import router as error_groups
from requests_app.api.errors import Refusals
from requests_app.api.estimates import router as estimates
from requests_app.api.exact import ExactRenderer
from requests_app.api.export import router as export
from requests_app.api.exports import router as exports
from requests_app.api.forwarding import router as forwarding
from requests_app.api.guide import DESCRIPTION
from requests_app.api.imports import router as imports
from requests_app.api.logs import router as logs
from requests_app.api.me import router as me
from requests_app.api.media import router as media
from requests_app.api.notices import router as notices
from requests_app.api.overview import router as overview
from requests_app.api.presets import router as presets
from requests_app.api.requests import router
from requests_app.api.tags import router as tags
from requests_app.api.unknown import refuse_unknown
from requests_app.api.uploads import router as uploads

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]


api = ProgramsApi(
    title="Faldeck",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    auth=MANAGES,  # of an operation that would name no scope
    parser=StrictParser(),
    renderer=ExactRenderer(),
)
refusals = Refusals(api)

fallback = Router()


@fallback.api_operation(_METHODS, "{path:rest}", auth=READS_ROWS, include_in_schema=False)
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer any other path with JSON and never redirect to one with a slash, which would lose a
    POST.
    """
    raise Http404


for path, one in (
    ("/requests/", estimates),  # this and the next before the paths that begin with an id
    ("/requests/", imports),
    ("/requests/", router),
    ("/requests/", acting),
    ("/requests/", deleting),
    ("/requests/", tags),
    ("/requests/", logs),
    ("/requests/", media),
    ("/endpoints/", endpoint_list),
    ("/endpoints/", endpoints),
    ("/presets/", presets),
    ("/batches/", batches),
    ("/bulk/", bulk),
    ("/errors/", error_groups),
    ("/export/", export),
    ("/overview/", overview),
    ("/notices/", notices),
    ("/forwarding/", forwarding),
    ("/deliveries/", deliveries),
    ("/exports/", exports),
    ("/uploads/", uploads),
    ("/me/", me),
):
    one.add_decorator(refuse_unknown)
    api.add_router(path, one)
api.add_router("", fallback)  # last, for it matches every path
