"""What fal may say about a request, as hypothesis draws it: sensible, odd and hostile."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from requests_app.rules.transitions import CANCELLED_TYPE, CallEnded, Gone, LostSubmitFound
from tests.builders import make_log, make_receipt, make_result, make_status, make_webhook

WORDS = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "PAUSED", ""]
ODD_TEXTS = st.text(st.characters(exclude_categories=[]), max_size=20)

reports = st.one_of(
    st.builds(make_receipt, position=st.none() | st.integers(0, 2**70)),
    st.builds(
        make_status,
        st.sampled_from(WORDS),
        queue_position=st.none() | st.integers(0, 5) | st.just(2**70),
        error_type=st.sampled_from([None, "runner_error", CANCELLED_TYPE]),
        metrics=st.dictionaries(ODD_TEXTS, st.floats(0, 9) | ODD_TEXTS, max_size=2),
        logs=st.lists(st.builds(make_log, ODD_TEXTS), max_size=2).map(tuple),
    ),
    st.builds(
        make_result,
        code=st.sampled_from([200, 422, 499, 500]),
        error=st.none() | ODD_TEXTS.filter(bool),
        error_type=st.sampled_from([None, CANCELLED_TYPE, "x" * 200, "\ud800"]),
    ),
    st.builds(
        make_webhook,
        status=st.sampled_from(["OK", "ERROR", "LATER"]),
        payload_bytes=st.sampled_from([None, b"", b'{"a": 1}', b"\xff", b'{"detail": "\\ud800"}']),
        error=st.none() | ODD_TEXTS | st.just("Invalid status code: 499"),
    ),
    st.builds(Gone, st.sampled_from(["request", "result"])),
    st.just(LostSubmitFound("req-1")),
)  # fmt: skip
direct_ends = st.builds(
    CallEnded, st.sampled_from(["failed", "cancelled"]), st.just("cut"), ODD_TEXTS
)

# The same words without oddities: quick to draw, so that very long orders can be played through.
common = st.sampled_from(
    [
        *(make_receipt(position=position) for position in (None, 0, 3)),
        *(make_status("IN_QUEUE", queue_position=position) for position in (None, 0, 1, 2, 3)),
        *(make_status("IN_PROGRESS", metrics=metrics) for metrics in ({}, {"inference_time": 1.5})),
        *(make_status("COMPLETED", error_type=kind) for kind in (None, "runner_error")),
        *(make_status("PAUSED"), make_status("COMPLETED", error_type=CANCELLED_TYPE)),
        *(make_webhook(status=word, payload_bytes=None) for word in ("OK", "LATER")),
        *(make_webhook(status=word, error=error)
          for word, error in product(("OK", "ERROR"), (None, "Invalid status code: 499"))),
        *(make_result(code=code, error=error)
          for code, error in ((200, None), (422, "wrong"), (499, "closed"), (500, "broken"))),
        *(LostSubmitFound("req-1"), Gone("request"), Gone("result"), CallEnded("failed", "cut", ""), CallEnded("cancelled", "", "")),
    ]
)  # fmt: skip
