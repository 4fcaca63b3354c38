"""A reset link for a member, on the settings page: shown in the reply to the POST that made it, once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from requests_app.teams.reset_links import make_reset_link
from requests_app.views.access import membership_of
from requests_app.views.settings import manages, member_or_404, page


@manages
def make_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a link by which the member sets a new password, once."""
    member = member_or_404(request, pk)
    path = make_reset_link(member, by=membership_of(request))
    return page(
        request,
        status=201,
        reset_link=request.build_absolute_uri(path),
        reset_name=member.user.get_username(),
    )
