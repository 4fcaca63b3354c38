"""How a bulk action and its outcomes are displayed."""

from __future__ import annotations

from django import template

from requests_app.models import (
    BulkAction,
    BulkItem,
    BulkState,
    BulkVerb,
    Export,
    Membership,
    Outcome,
)
from requests_app.search import told_search
from requests_app.templatetags.requests_extras import StatusLook

register = template.Library()

_STATES = {
    BulkState.STORING: StatusLook("pending", "outline", "storing", "Its requests are being noted."),
    BulkState.RUNNING: StatusLook(
        "in_progress", "spinner", "running", "The requests have their turns."
    ),
    BulkState.PAUSED: StatusLook(
        "in_queue", "clock", "paused", "Nothing further is done until a member resumes it."
    ),
    BulkState.STOPPED: StatusLook(
        "cancelled", "slash", "stopped", "A member stopped it. Nothing more will happen."
    ),
    BulkState.FINISHED: StatusLook("completed", "check", "finished", "All have had their turn."),
}
_OUTCOMES = {
    Outcome.WAITING: StatusLook("pending", "outline", "waiting", "Its turn will come."),
    Outcome.DONE: StatusLook("completed", "check", "done", "It was done."),
    Outcome.SKIPPED: StatusLook("cancelled", "slash", "skipped", "Nothing was done to it."),
    Outcome.FAILED: StatusLook("failed", "cross", "failed", "It can be tried again."),
}
# As a heading and as a button; what it does to a request of each kind
_VERBS = {
    BulkVerb.CANCEL: (
        "Cancel",
        "What was not sent yet ends here. For the others fal is asked to cancel; what ran until then may be billed.",
    ),
    BulkVerb.AGAIN: (
        "Run again",
        "Each becomes a new request with the same input, sent at the worker's own rate. fal bills what runs.",
    ),
    BulkVerb.GIVE_UP: (
        "Give up",
        "Each ends here as failed. Whether fal ran it stays unknown, and running it again may cost twice.",
    ),
    BulkVerb.REREAD: (
        "Read again from fal",
        "fal is asked for each status, and for a result that is missing. What it adds is stored; an end stays as it is, "
        "and nothing is submitted.",
    ),
    BulkVerb.TAG: (
        "Tag",
        "Each gets these tags, which the team sees; each keeps those that it has.",
    ),
    BulkVerb.UNTAG: (
        "Take tags off",
        "Each loses these tags. What fal was told as its tags stays.",
    ),
    BulkVerb.STAR: ("Star", "Each gets your star, which you alone see."),
    BulkVerb.UNSTAR: ("Take the star off", "Each loses your star."),
    BulkVerb.PAYLOAD: (
        "Delete input and output of",
        "Input, output, logs, webhook bodies, events and messages are deleted here for good, for the whole team. "
        "Status, times and history stay; such a request cannot be run again. What fal keeps stays unless you choose below.",
    ),
    BulkVerb.DELETE: (
        "Delete",
        "Each is deleted here for good, for the whole team, with its history, tags and notes. Batches and repeats of "
        "it stay and no longer name it. What fal keeps stays unless you choose below; what it has billed is not touched.",
    ),
}
_GENTLE = {
    BulkVerb.AGAIN,
    BulkVerb.REREAD,
    BulkVerb.TAG,
    BulkVerb.UNTAG,
    BulkVerb.STAR,
    BulkVerb.UNSTAR,
}


@register.filter
def told_to(one: BulkAction | Export, reader: Membership) -> str | None:
    """Return the search it was made with; None where the reader may not know its words."""
    return told_search(one.search, sees=reader.sees)


@register.filter
def bulk_look(bulk: BulkAction) -> StatusLook:
    """Return how an action's state looks."""
    return _STATES[BulkState(bulk.state)]


@register.filter
def outcome_look(item: BulkItem) -> StatusLook:
    """Return how an outcome looks."""
    return _OUTCOMES[Outcome(item.outcome)]


@register.filter
def consequence(verb: str) -> str:
    """Say what the action does."""
    return _VERBS[BulkVerb(verb)][1]


@register.filter
def is_gentle(verb: str) -> bool:
    """Return whether the action takes nothing away that could not be put back."""
    return verb in _GENTLE


@register.filter
def verb_word(verb: str) -> str:
    """Name the action."""
    return _VERBS[BulkVerb(verb)][0]
