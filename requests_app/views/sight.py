"""Refuse pages to members who may not see inputs and outputs, unless the page is named here.

A page that is not named is refused (403, one sentence), so that a new one hides what it shows by default. Those that
are named show nothing of an input or output, or load their rows by `shown_to` or `read_by`, which empty them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from requests_app.models import FalRequest, Membership
from requests_app.teams.choice import NotChosen, NoTeam, in_team
from requests_app.views.access import Hidden, membership_of, memberships
from requests_app.views.team_guard import NAMESPACE

# Rows without their input and output.
REDACTED = frozenset(
    """
    list rows counts changes ended completions palette detail result peek request_tags star_request note
    cancel reread give_up again bulk_actions ask_bulk bulk_action bulk_live pause_bulk resume_bulk stop_bulk
    retry_bulk new runs endpoint deliveries settle_delivery
    batch batch_live new_batch errors error_group decide_error export delete_request
    exports export_job export_live export_file stop_export delete_export compare realtime sessions
    presets preset_menu preset rename_preset restore_preset delete_preset
    notices notice_log forwarding destination
    """.split()  # noqa: SIM905
)
# Nothing of a request's input or output.
BESIDE = frozenset(
    """
    home save_view open_view change_view delete_view set_table price paste fields overview tag_report
    endpoints own_apps check_own_app models star add_endpoint remove_endpoint set_document drop_document seen_change
    batches start_batch pause_batch resume_batch cancel_batch retry_batch set_batch_concurrency discard_batch
    health_page reach_webhooks uploads session logged_in_again switch_team settings times blur single_keys set_copies
    set_duplicates add_member change_role change_sight remove_member invite withdraw audit export_audit
    new_team team rename_team leave_team transfer_team delete_team require_factors
    make_reset_link my_sessions end_session member_sessions end_member_session retention run_retention
    record_code code_light make_token revoke_token start_faults stop_faults client_wheel add_fal_key replace_fal_key remove_fal_key
    test_fal_key set_quiet remove_channel test_channel remove_rule test_destination remove_destination invitations accept_invitation decline_invitation join setup webhook report_policy healthz readyz metrics
    """.split()  # noqa: SIM905
)
OPEN = REDACTED | BESIDE


class SightGuard:
    """The middleware; runs after `TeamGuard`, which has found the team of a write."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Mapping[str, Any]
    ) -> None:
        """Raises Hidden."""
        match = request.resolver_match
        if match is None or match.namespace != NAMESPACE or match.url_name in OPEN:
            return
        if not request.user.is_authenticated or all(one.sees for one in memberships(request)):
            return
        membership = _membership(request, kwargs)
        if membership is not None and not membership.sees:
            raise Hidden(membership.team_id)


def _membership(request: HttpRequest, kwargs: Mapping[str, Any]) -> Membership | None:
    """Return the membership in the team of the address, else of the page; None where the view has to ask for one."""
    if "public_id" in kwargs:
        found = FalRequest.objects.filter(public_id=kwargs["public_id"])
        return in_team(memberships(request), found.values_list("team_id", flat=True).first())
    try:
        return membership_of(request)
    except (NoTeam, NotChosen):
        return None
