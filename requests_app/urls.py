"""The table of contents: every path of the product."""

from __future__ import annotations

from django.urls import path, re_path
from django.views.generic import RedirectView

from requests_app.views import (
    actions,
    detail,
    endpoint_form,
    frames,
    health,
    invitations,
    join,
    metrics,
    outputs,
    pages,
    realtime,
    session,
    settings,
    setup,
    times,
    webhooks,
)

app_name = "requests"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="requests:list"), name="home"),
    path("requests/", pages.request_list, name="list"),
    path("requests/rows/", pages.rows, name="rows"),
    path("requests/counts/", pages.counts, name="counts"),
    path("requests/changes/", pages.changes, name="changes"),
    path("requests/new/", actions.new, name="new"),
    path("requests/new/fields/", endpoint_form.fields, name="fields"),
    path("requests/<uuid:public_id>/", detail.detail, name="detail"),
    path("requests/<uuid:public_id>/live/", detail.live, name="detail_live"),
    path("requests/<uuid:public_id>/logs/", detail.logs, name="logs"),
    path("requests/<uuid:public_id>/frames/", detail.frames, name="frames"),
    path("requests/<uuid:public_id>/frames/<int:number>/", detail.frame, name="frame"),
    path("requests/<uuid:public_id>/frames/<int:number>/raw/", frames.raw, name="frame_raw"),
    path("requests/<uuid:public_id>/frames/<int:number>/media/", frames.media, name="frame_media"),
    path("requests/<uuid:public_id>/input/", detail.input_text, name="input"),
    path("requests/<uuid:public_id>/output/", outputs.output, name="output"),
    path("requests/<uuid:public_id>/output/media/", outputs.output_media, name="output_media"),
    path("requests/<uuid:public_id>/cancel/", actions.cancel, name="cancel"),
    path("requests/<uuid:public_id>/give-up/", actions.give_up, name="give_up"),
    path("requests/<uuid:public_id>/again/", actions.again, name="again"),
    path("realtime/", realtime.realtime, name="realtime"),
    path("realtime/sessions/", realtime.sessions, name="sessions"),
    path("realtime/messages/", realtime.messages, name="messages"),
    path("realtime/messages/<int:pk>/", realtime.message, name="message"),
    path("realtime/messages/<int:pk>/delete/", realtime.delete_message, name="delete_message"),
    path("session/", session.session, name="session"),
    path("session/again/", session.logged_in_again, name="logged_in_again"),
    path("team/", actions.switch_team, name="switch_team"),
    path("settings/", settings.settings_page, name="settings"),
    path("settings/times/", times.times, name="times"),
    path("settings/members/", settings.add_member, name="add_member"),
    path("settings/members/<int:pk>/role/", settings.change_role, name="change_role"),
    path("settings/members/<int:pk>/remove/", settings.remove_member, name="remove_member"),
    path("settings/invitations/", settings.invite, name="invite"),
    path("settings/invitations/<int:pk>/withdraw/", settings.withdraw, name="withdraw"),
    path("settings/tokens/", settings.make_token, name="make_token"),
    path("settings/tokens/<int:pk>/revoke/", settings.revoke_token, name="revoke_token"),
    path("invitations/", invitations.page, name="invitations"),
    path("invitations/<int:pk>/accept/", invitations.accept, name="accept_invitation"),
    path("invitations/<int:pk>/decline/", invitations.decline, name="decline_invitation"),
    path("join/<str:secret>/", join.join, name="join"),
    path("setup/<str:token>/", setup.setup, name="setup"),
    # With and without the slash: a redirect would lose the result for good.
    re_path(
        r"^hooks/fal/(?P<public_id>[0-9a-f-]{36})/(?P<secret>[\w-]{1,100})/?$",
        webhooks.receive,
        name="webhook",
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
