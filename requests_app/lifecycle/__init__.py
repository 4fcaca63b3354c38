"""The only writer of requests: each status change is stored here with the observation behind it.

A verb takes the row's key and what happened, decides with `rules.transitions`, and in one transaction
appends an observation and updates the row; `announce` publishes the change on commit. Nothing here uses
the network.

    person.py        create, create_once, ask_cancel, give_up, add_note
    several.py       create_several_once
    duplicates.py    the guard against the same input twice; only for the modules above
    open_limits.py   count_open: how many requests may be open at once
    items.py         create_for_items
    sending.py       start_attempt, start_attempts, open_session, renew_leases, expire_lease, note_opened, note_not_sent,
                     note_refused, mark_uncertain, note_record_full, note_frame_count
    hearing.py       observe, observe_many, brings_news, note_cancel_answer, is_for_row
    details.py       lacks_output
    asking.py        note_denied, note_doubt, note_unanswered, note_recovered
    failing.py       note_step_failed, fail_unsendable, fail_unprocessed
    lost_submits.py  match_lost_submit, note_list_unreadable
    importing.py     import_run
    passed.py        record_passed, open_passed, note_direct_id, note_passed_cancel, note_passed_result: calls through the gateway
    work.py          make_due, poll_faster_until, release, resume
    rereading.py     can_reread, reread, note_reread_gone
    removing.py      remove_payload, remove_frames, delete_payload, delete_request
    fal_deletions.py delete_at_fal, forget_fal_deletions, take_fal_deletions, why_not_at_fal, note_fal_deleted,
                     note_fal_unknown, note_fal_refused, note_fal_away
    emptying.py      empty_elsewhere; everything that was made of an input and output, for the modules above
    renaming.py      rename_in_history
    pricing.py       due_costs, store_costs
    tagging.py       add_tags, remove_tags, set_star
    made_up.py       rows for measurements, many at once; for `manage.py make_rows` alone
    costs.py         what billed units cost; only for the modules above
    log_lines.py     fal's log, without repeats; only for the modules above
    writing.py       the writes themselves; only for the modules above
"""

from __future__ import annotations

from requests_app.lifecycle.asking import (
    note_denied,
    note_doubt,
    note_recovered,
    note_unanswered,
)
from requests_app.lifecycle.details import lacks_output
from requests_app.lifecycle.duplicates import AlreadyRunning
from requests_app.lifecycle.emptying import empty_elsewhere
from requests_app.lifecycle.failing import (
    MOST_FAILURES,
    TOLD_AT,
    fail_unprocessed,
    fail_unsendable,
    note_step_failed,
)
from requests_app.lifecycle.fal_deletions import (
    ask_fal_to_delete,
    askable,
    delete_at_fal,
    forget_fal_deletions,
    note_fal_away,
    note_fal_deleted,
    note_fal_refused,
    note_fal_unknown,
    take_fal_deletions,
    waiting_fal_deletions,
    why_not_at_fal,
)
from requests_app.lifecycle.hearing import (
    CANCEL_NOTES,
    Effect,
    Heard,
    RowReport,
    brings_news,
    is_for_row,
    note_cancel_answer,
    observe,
    observe_many,
)
from requests_app.lifecycle.importing import import_run
from requests_app.lifecycle.items import Turn, create_for_items
from requests_app.lifecycle.lost_submits import match_lost_submit, note_list_unreadable
from requests_app.lifecycle.open_limits import OpenCount, TooManyOpen, count_open
from requests_app.lifecycle.passed import (
    PassedCall,
    note_direct_id,
    note_passed_cancel,
    note_passed_result,
    open_passed,
    record_passed,
)
from requests_app.lifecycle.person import (
    KeyReused,
    add_note,
    ask_cancel,
    create,
    create_once,
    give_up,
)
from requests_app.lifecycle.pricing import due_costs, store_costs
from requests_app.lifecycle.removing import (
    delete_payload,
    delete_request,
    remove_frames,
    remove_payload,
)
from requests_app.lifecycle.renaming import rename_in_history
from requests_app.lifecycle.rereading import can_reread, note_reread_gone, reread
from requests_app.lifecycle.sending import (
    LEASE,
    Attempt,
    Held,
    expire_lease,
    mark_uncertain,
    note_frame_count,
    note_not_sent,
    note_opened,
    note_record_full,
    note_refused,
    open_session,
    renew_leases,
    start_attempt,
    start_attempts,
)
from requests_app.lifecycle.several import create_several_once
from requests_app.lifecycle.tagging import add_tags, remove_tags, set_star
from requests_app.lifecycle.work import Release, make_due, poll_faster_until, release, resume

__all__ = [
    "CANCEL_NOTES",
    "LEASE",
    "MOST_FAILURES",
    "TOLD_AT",
    "AlreadyRunning",
    "Attempt",
    "Effect",
    "Heard",
    "Held",
    "KeyReused",
    "OpenCount",
    "PassedCall",
    "Release",
    "RowReport",
    "TooManyOpen",
    "Turn",
    "add_note",
    "add_tags",
    "ask_cancel",
    "ask_fal_to_delete",
    "askable",
    "brings_news",
    "can_reread",
    "count_open",
    "create",
    "create_for_items",
    "create_once",
    "create_several_once",
    "delete_at_fal",
    "delete_payload",
    "delete_request",
    "due_costs",
    "empty_elsewhere",
    "expire_lease",
    "fail_unprocessed",
    "fail_unsendable",
    "forget_fal_deletions",
    "give_up",
    "import_run",
    "is_for_row",
    "lacks_output",
    "make_due",
    "mark_uncertain",
    "match_lost_submit",
    "note_cancel_answer",
    "note_denied",
    "note_direct_id",
    "note_doubt",
    "note_fal_away",
    "note_fal_deleted",
    "note_fal_refused",
    "note_fal_unknown",
    "note_frame_count",
    "note_list_unreadable",
    "note_not_sent",
    "note_opened",
    "note_passed_cancel",
    "note_passed_result",
    "note_record_full",
    "note_recovered",
    "note_refused",
    "note_reread_gone",
    "note_step_failed",
    "note_unanswered",
    "observe",
    "observe_many",
    "open_passed",
    "open_session",
    "poll_faster_until",
    "record_passed",
    "release",
    "remove_frames",
    "remove_payload",
    "remove_tags",
    "rename_in_history",
    "renew_leases",
    "reread",
    "resume",
    "set_star",
    "start_attempt",
    "start_attempts",
    "store_costs",
    "take_fal_deletions",
    "waiting_fal_deletions",
    "why_not_at_fal",
]
