"""For each cause of a failure: a title, and advice what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping

from requests_app.models import Mode

# error_type -> title, advice. fal's infrastructure errors first, then those of models.
KNOWN: Mapping[str, tuple[str, str]] = {
    "request_timeout": (
        "The run took too long",
        "fal stopped it at the app's time limit. Ask for less work, or try again.",
    ),
    "startup_timeout": (
        "No runner was ready in time",
        "The model did not start. Try again in a few minutes.",
    ),
    "runner_scheduling_failure": (
        "fal found no machine for it",
        "Nothing ran. Try again in a few minutes.",
    ),
    "runner_incomplete_response": (
        "The model broke off its answer",
        "Try again; if it repeats, the model is at fault.",
    ),
    "runner_server_error": (
        "The model crashed",
        "Try again; if it repeats with this input, change the input or tell the model's owner.",
    ),
    "queue_too_long": (
        "fal's queue was too long",
        "More requests were waiting than this one allows (Longest queue). Nothing ran: submit it "
        "again later, or allow a longer queue.",
    ),
    "internal_error": ("fal had an internal error", "Try again in a few minutes."),
    "internal_server_error": (
        "The model crashed",
        "Try again; if it repeats with this input, change the input or tell the model's owner.",
    ),
    "generation_timeout": (
        "The model gave up on time",
        "Ask for less (fewer steps, a smaller size) or try again.",
    ),
    "downstream_service_error": (
        "A service behind the model failed",
        "Try again in a few minutes.",
    ),
    "downstream_service_unavailable": (
        "A service behind the model is down",
        "Try again in a few minutes.",
    ),
    "client_disconnected": (
        "The connection to fal was cut",
        "fal stops a direct run or a stream when its caller hangs up. Queue mode survives that.",
    ),
    "client_cancelled": ("It was cancelled", "Run it again when you want the result after all."),
    "bad_request": (
        "fal could not read the request",
        "Check the options and headers, then run it again.",
    ),
    "result_expired": (
        "The result is gone at fal",
        "fal keeps results for a short time only, and it was asked too late. Run it again.",
    ),
    "result_unreadable": (
        "The result did not come",
        "fal finished it, but for as long as it keeps a result something else came in its place. What came "
        "last is kept. Look at your usage at fal; running it again costs again.",
    ),
    "refused": (
        "fal rejected the request",
        "Correct the request; repeating it unchanged will not help.",
    ),
    "given_up": (
        "Given up, outcome unknown",
        "fal may have run it, and it may be paid: running it again may cost twice. Should a webhook or fal's "
        "list name it after all, that is shown here as evidence; the request stays given up.",
    ),
    "lost_at_fal": (
        "fal no longer knows the request",
        "Its outcome cannot be known any more. Run it again if you need the result.",
    ),
    "content_policy_violation": (
        "The content was refused",
        "The model's content policy blocked it. Change the prompt or the picture.",
    ),
    "no_media_generated": (
        "The model made nothing",
        "Change the input; the same input may give the same answer.",
    ),
    "file_download_error": (
        "A file of the input could not be loaded",
        "Make sure that its address opens without a log-in.",
    ),
    "empty_stream": (
        "The stream brought nothing",
        "Try again; if it repeats, run it in queue mode, where the error is told.",
    ),
    "partial_stream": (
        "The stream was closed in the middle of its output",
        "What came until then is kept and shown. Run it again for the whole.",
    ),
    "interrupted": (
        "The connection broke off",
        "What came until then is kept. Run it again for the whole; that costs again.",
    ),
    "hung_up": (
        "The call took longer than this site waits",
        "What came until then is kept. Queue mode waits as long as it takes; an administrator can "
        "raise the limit (STREAM_TIMEOUT).",
    ),
    "event_too_large": (
        "An event of the stream is too large",
        "What came before it is kept. Running it again costs again and ends the same way: ask for less "
        "in one event, or use queue mode, which takes results up to OUTPUT_LIMIT.",
    ),
    "output_too_large": (
        "The result is too large for this site",
        "Running it again costs again and ends the same way: ask for less, or have an administrator "
        "raise OUTPUT_LIMIT.",
    ),
    "unreadable": (
        "The answer cannot be read as a stream",
        "Running it again costs again and may well end the same way. Run and queue mode take an answer "
        "of any kind.",
    ),
    "gateway_error": (
        "A server on the way failed",
        "Look at your usage at fal, then decide whether to run it again.",
    ),
    "redirected": (
        "The address leads elsewhere",
        "Check the endpoint id and its path. If every call ends like this, an administrator has to "
        "check FAL_RUN_URL.",
    ),
    "session_error": (
        "The session ended with an error",
        "Look at the last messages under Events, then connect again.",
    ),
    "not_processed": (
        "fal's answer could not be processed here",
        "It may have run, and it may be paid: look at your usage at fal. What came is kept and shown as it "
        "came. An administrator finds the error in the log.",
    ),
    "unreachable": (
        "fal could not be reached",
        "A program's call came to the gateway and could not go on to fal. Nothing ran and nothing is billed.",
    ),
    "not_sendable": (
        "It could not be sent",
        "Nothing reached fal and nothing is billed. Correct what the sentence names, then run it again.",
    ),
    "concurrent_requests_limit": (
        "Too many requests at once",
        "The account's limit was reached. Queue mode waits its turn instead.",
    ),
}
# For modes other than stream.
BY_MODE: Mapping[tuple[str, str], tuple[str, str]] = {
    (Mode.RUN, "interrupted"): (
        "The connection broke off",
        "Nothing of the result came. Look at your usage at fal, then decide whether to run it again. "
        "Queue mode survives a broken connection.",
    ),
    (Mode.REALTIME, "interrupted"): (
        "The connection broke off",
        "What came until then is kept. Connect again to go on.",
    ),
    (Mode.RUN, "hung_up"): (
        "The call took longer than this site waits",
        "Nothing of the result came. Queue mode waits as long as it takes; an administrator can raise "
        "the limit (RUN_TIMEOUT).",
    ),
    (Mode.RUN, "unreadable"): (
        "The answer cannot be read",
        "Running it again costs again and may well end the same way. Queue mode fetches the result of "
        "one run as often as needed.",
    ),
}
BY_CODE: Mapping[int, tuple[str, str]] = {
    401: (
        "fal did not accept the key",
        "Nothing is wrong with the request. An owner or admin has to give a valid key under Settings, or "
        "the operator a valid FAL_KEY; then run it again.",
    ),
    403: (
        "fal refused this installation's account",
        "The balance may be used up, or the key may not use this endpoint. An administrator has "
        "to look at the account at fal; then run it again.",
    ),
    404: ("fal does not know this address", "Check the endpoint id and its path."),
    413: ("The input is too large", "Send files by address instead of inside the input."),
    422: ("The input was not accepted", "Correct it and run it again."),
    429: (
        "Too many requests at once",
        "The account's limit was reached. Queue mode waits its turn instead.",
    ),
    504: ("It took too long", "Try again, or give it a longer start timeout."),
}
# Sessions that were not opened, by HTTP status; None: closed by a WebSocket close code.
SESSION: Mapping[int | None, tuple[str, str]] = {
    401: (
        "fal did not accept the key or the token",
        "An owner or admin has to check the team's key, or the operator FAL_KEY; then connect again.",
    ),
    403: (
        "fal refused the connection",
        "The key may not open this endpoint, or it has no realtime at this path. Check the path, "
        "then connect again.",
    ),
    404: (
        "There is no realtime endpoint at this address",
        "Check the endpoint id and its path, then connect again.",
    ),
    429: ("Too many sessions or calls at once", "Wait a little, then connect again."),
    None: (
        "fal closed the session by its rules",
        "Check the key and the account's limits, then connect again.",
    ),
}
# By the reason's text, when neither type nor code tells more.
BY_REASON: tuple[tuple[re.Pattern[str], tuple[str, str]], ...] = (
    (
        re.compile(r"content polic|moderat|nsfw|safety (check|filter|system)|prompt was blocked", re.I),
        KNOWN["content_policy_violation"],
    ),
    (
        re.compile(r"out of (credit|quota|balance)|ran out of credits|insufficient (credit|fund|quota|balance)|exhausted", re.I),
        (
            "A balance or quota is used up",
            "Nothing is wrong with the input. The account named above, fal's or that of a service behind the "
            "model, has to be topped up before it is run again.",
        ),
    ),
    (
        re.compile(r"out of memory|\boom\b", re.I),
        (
            "The model ran out of memory",
            "Ask for less at once (a smaller size, fewer pictures), then run it again.",
        ),
    ),
)  # fmt: skip
YOURS = KNOWN["refused"]
MID_STREAM = (
    "The model failed in the middle of the stream",
    "All that came is kept and shown; the events in red under Events tell of the error.",
)
THEIRS = ("It failed at fal", "Try again; if it repeats, look at the logs and the raw answer.")
