"""Who may do what: the one table that all probes are made from.

A route, an operation of the API, a message of a socket or a way through the gateway that is not in here
fails the build. What it says is written down from what a team wants, not read from the code.
"""

from __future__ import annotations

from enum import IntEnum


class Needs(IntEnum):
    """What a caller must be, each one more than those before it."""

    NOTHING = 0  # no log-in
    LOG_IN = 1
    TEAM = 2  # any member, viewers too
    SUBMIT = 3  # a member who may submit
    MANAGE = 4  # an admin or the owner
    OWN = 5  # the owner


def _spread(table: dict[Needs, str]) -> dict[str, Needs]:
    spread = [(name, needs) for needs, names in table.items() for name in names.split()]
    assert len({name for name, _ in spread}) == len(spread), "a route stands there twice"
    return dict(spread)


# Routes of pages that are read (GET, HEAD), by their names.
READS = _spread({
    Needs.NOTHING: """
        healthz readyz metrics client_wheel join setup session home
        account_login account_logout account_inactive account_confirm_email account_reset_password
        account_reset_password_done account_reset_password_from_key
        account_reset_password_from_key_done openid_connect_login openid_connect_callback
        account_signup account_signup_confirm
        """,
    Needs.LOG_IN: """
        times invitations logged_in_again new_team my_sessions account_change_password account_home account_email account_name
        account_data account_delete
        account_reauthenticate
        compare thumbnails ended
        """,
    Needs.TEAM: """
        list rows counts changes completions open_view export exports export_job export_live
        export_file gallery media_zip gallery_tiles price bulk_actions bulk_action bulk_live detail
        detail_live result peek logs frames frame frame_raw frame_media input output output_media
        medium kept_media thumbnail run_file request_tags overview tag_report errors error_group
        endpoints models endpoint realtime sessions messages message presets preset_menu preset
        batches batch batch_live batch_results palette settings notices notice_log record_code
        code_light team deliveries delivery_body own_apps
        """,
    Needs.SUBMIT: "new runs fields import_run give_up new_batch",
    Needs.MANAGE: "audit export_audit member_sessions retention delete_request health_page forwarding destination",
    Needs.OWN: "delete_team",
})  # fmt: skip

# Routes of pages that are written to (POST).
WRITES = _spread({
    Needs.NOTHING: """
        join setup webhook report_policy account_login account_logout account_confirm_email account_reset_password
        account_reset_password_from_key account_signup account_signup_confirm
        """,
    Needs.LOG_IN: """
        times blur single_keys end_session new_team accept_invitation decline_invitation switch_team
        account_change_password account_email account_name account_reauthenticate
        account_delete
        """,
    Needs.TEAM: """
        save_view set_table exports stop_export delete_export media_zip star_request seen_change
        make_token record_code leave_team check_own_app
        """,
    Needs.SUBMIT: """
        new paste ask_bulk bulk_actions pause_bulk resume_bulk stop_bulk retry_bulk cancel reread
        give_up note request_tags again decide_error star add_endpoint remove_endpoint set_document
        drop_document messages delete_message presets rename_preset restore_preset delete_preset
        new_batch start_batch pause_batch resume_batch cancel_batch retry_batch
        set_batch_concurrency discard_batch uploads import_run settle_delivery
        """,
    Needs.MANAGE: """
        change_view delete_view set_quiet add_channel replace_channel remove_channel test_channel
        add_rule change_rule switch_rule remove_rule set_copies set_duplicates add_member change_role change_sight
        remove_member invite withdraw revoke_token start_faults stop_faults make_reset_link end_member_session add_fal_key replace_fal_key remove_fal_key
        test_fal_key retention run_retention delete_request
        reach_webhooks add_destination change_destination rotate_destination switch_destination test_destination
        remove_destination resend_forward
        """,
    Needs.OWN: "rename_team transfer_team delete_team require_factors",
})  # fmt: skip

# What a member whom the team holds back for want of a second factor may do all the same.
HELD_BACK_TOO = frozenset({"leave_team"})

# Routes that consist of inputs and outputs, or send them elsewhere: closed to a member who may not see those. All others
# show such a member what is no input or output.
PAYLOADS = frozenset("""
    import_run gallery media_zip gallery_tiles thumbnail thumbnails
    detail_live logs frames frame frame_raw frame_media input output output_media medium kept_media run_file
    delivery_body batch_results messages message delete_message
    add_channel replace_channel add_rule change_rule switch_rule
    add_destination change_destination rotate_destination switch_destination resend_forward
    """.split())  # fmt: skip # noqa: SIM905
# Open routes whose object here consists of inputs and outputs, and what is closed of one that is open to be read.
OF_OBJECTS = frozenset({"export_file"})
CLOSED_WRITES = frozenset({"presets"})
# What such a member may not ask an open route for.
OF_PAYLOADS = {
    "new": ("?again=", "?preset="),
    "new_batch": ("?preset=",),
    "export": ("?format=zip",),
}

# Addresses that name objects in their query; each `{…}` is one of the team's, or a missing one.
QUERIES = {
    "list": "?peek={public_id} ?view={view_id} ?q={word} ?q=error%3A{group_id} ?team={team} ?q=tag%3A{word} ?q={payload} ?q=input.prompt%3A{payload} ?q=error%3A{payload}",
    "rows": "?ids={public_id} ?ids={public_id},{live}&team={team} ?q={payload}",
    "counts": "?q={word} ?view={view_id} ?team={team} ?q={payload} ?q=-{payload}",
    "changes": "?since=0&in_sight={public_id} ?since=0&team={team}",
    "ended": "?since=0&tell={public_id}",
    "completions": "?typed=tag%3A ?typed=endpoint%3A ?typed=by%3A ?typed={word} ?team={team} ?typed=input.prompt%3A ?typed=seed%3A ?typed={payload}",
    "export": "?q={word}&format=csv ?format=jsonl ?team={team} ?format=zip ?q={payload}",
    "exports": "?q={word} ?team={team}",
    "thumbnails": "?ids={public_id} ?ids={public_id},{live} ?ids={public_id}.1",
    "thumbnail": "?n=1",
    "gallery": "?q={word} ?ids={public_id} ?view={view_id} ?team={team}",
    "gallery_tiles": "?q={word} ?ids={public_id} ?team={team}",
    "media_zip": "?q={word} ?team={team}",
    "compare": "?id={public_id}&id={live}",
    "new": "?again={public_id} ?preset={preset_id} ?endpoint={endpoint_id} ?team={team}",
    "runs": "?endpoint={endpoint_id}",
    "fields": "?endpoint={endpoint_id}",
    "price": "?endpoint_id={endpoint_id}",
    "overview": "?endpoint={endpoint_id} ?by={word} ?team={team}",
    "errors": "?endpoint={endpoint_id} ?type={word} ?team={team}",
    "realtime": "?again={public_id} ?endpoint={endpoint_id} ?team={team}",
    "messages": "?endpoint_id={endpoint_id}",
    "sessions": "?team={team}",
    "preset_menu": "?endpoint_id={endpoint_id}",
    "new_batch": "?again={public_id} ?preset={preset_id} ?endpoint={endpoint_id}",
    "palette": "?q={word} ?q={public_id} ?q={endpoint_id} ?team={team} ?q={payload}",
    "endpoints": "?q={word} ?team={team}",
    "models": "?q={word}",
    "own_apps": "?team={team}",
    "settings": "?team={team}",
    "notices": "?team={team}",
    "forwarding": "?team={team}",
    "destination": "?state=failed ?before=999999999",
    "audit": "?by={word} ?team={team}",
    "export_audit": "?format=jsonl ?team={team}",
    "record_code": "?key={token} ?team={team}",
    "tag_report": "?team={team}",
    "deliveries": "?team={team} ?verdict=no_keys",
}

# Operations of the API, by method and path under /api/v1; the scope of a token is one of the needs too.
API = _spread({
    Needs.TEAM: """
        GET:endpoints/ GET:endpoints/{endpoint_id}/ POST:endpoints/{endpoint_id}/validate/
        GET:batches/ GET:batches/{id}/ GET:batches/{id}/items/ GET:batches/{id}/results/
        GET:bulk/ GET:bulk/{id}/ GET:bulk/{id}/items/ GET:errors/ GET:errors/{id}/ GET:export/
        GET:exports/ GET:exports/{id}/ GET:exports/{id}/file/ GET:requests/{id}/run/ GET:me/
        GET:overview/ GET:notices/channels/ GET:notices/channels/{id}/ GET:notices/rules/
        GET:notices/rules/{id}/ GET:presets/ GET:presets/{id}/ GET:presets/{id}/versions/{number}/
        GET:requests/ GET:requests/{id}/ GET:requests/{id}/input/ GET:requests/{id}/media/
        GET:requests/{id}/media/{number}/ GET:requests/{id}/output/ GET:requests/{id}/events/
        GET:requests/{id}/frames/ GET:requests/{id}/logs/ GET:deliveries/ GET:deliveries/{id}/
        GET:forwarding/destinations/ GET:forwarding/destinations/{id}/ GET:forwarding/destinations/{id}/messages/
        """,
    Needs.SUBMIT: """
        POST:deliveries/{id}/settle/ POST:batches/ DELETE:batches/{id}/ POST:batches/{id}/cancel/ POST:batches/{id}/pause/
        POST:batches/{id}/resume/ POST:batches/{id}/retry/ POST:batches/{id}/start/ POST:bulk/
        POST:bulk/{id}/pause/ POST:bulk/{id}/resume/ POST:bulk/{id}/retry/ POST:bulk/{id}/stop/
        POST:errors/{id}/ignore/ POST:errors/{id}/reopen/ POST:errors/{id}/resolve/ POST:exports/
        DELETE:exports/{id}/ POST:requests/import/ POST:requests/estimate/ POST:uploads/ POST:requests/
        POST:requests/{id}/again/ POST:requests/{id}/cancel/ POST:requests/{id}/give_up/
        POST:requests/{id}/notes/ POST:requests/{id}/reread/ PUT:requests/{id}/star/
        DELETE:requests/{id}/star/ POST:requests/{id}/tags/
        """,
    Needs.MANAGE: """
        PUT:endpoints/{endpoint_id}/document/ DELETE:endpoints/{endpoint_id}/document/ POST:presets/
        POST:notices/channels/ DELETE:notices/channels/{id}/ POST:notices/channels/{id}/replace/
        POST:notices/channels/{id}/test/ POST:notices/rules/ DELETE:notices/rules/{id}/
        POST:notices/rules/{id}/change/ POST:forwarding/destinations/ DELETE:forwarding/destinations/{id}/
        POST:forwarding/destinations/{id}/change/ POST:forwarding/destinations/{id}/rotate/
        POST:forwarding/destinations/{id}/test/
        POST:forwarding/messages/{id}/resend/
        DELETE:presets/{id}/ POST:presets/{id}/rename/ POST:presets/{id}/restore/
        DELETE:requests/{id}/payload/
        """,
})  # fmt: skip
# Of those, what the token's user must be an admin or the owner for, too.
OF_ADMINS = frozenset(
    name
    for name, needs in API.items()
    if "forwarding/" in name
    or (needs is Needs.MANAGE and any(room in name for room in ("notices/", "payload/")))
)

# Operations that consist of inputs and outputs, or send them elsewhere: refused to the token of a member who may not see
# those.
API_PAYLOADS = frozenset(
    name
    for name in API
    if (name.startswith(("POST:notices/", "POST:forwarding/", "POST:presets/", "GET:presets/{id}/")) and "/test/" not in name)
    or name in ["GET:batches/{id}/results/", "GET:requests/{id}/run/", "GET:requests/{id}/input/", "GET:requests/{id}/media/", "GET:requests/{id}/media/{number}/", "GET:requests/{id}/output/", "GET:requests/{id}/events/", "POST:requests/import/", "GET:requests/{id}/frames/", "GET:requests/{id}/logs/"]
)  # fmt: skip

# Those whose object here consists of them.
API_OF_OBJECTS = frozenset({"GET:exports/{id}/file/"})

# Messages of pages to the sockets, by the socket's path and the message's type.
MESSAGES = {
    "ws/": {"watch": Needs.TEAM, "unwatch": Needs.TEAM, "since": Needs.TEAM},
    "ws/realtime/": dict.fromkeys(("connect", "send", "ack", "disconnect"), Needs.SUBMIT),
}

# What programs ask of fal through the gateway.
GATEWAY = {
    "submit": Needs.SUBMIT, "direct": Needs.SUBMIT, "other": Needs.SUBMIT, "cancel": Needs.SUBMIT,
    "status": Needs.TEAM, "status_stream": Needs.TEAM, "result": Needs.TEAM,
}  # fmt: skip
