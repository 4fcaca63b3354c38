"""What a reply shows of a request: its input, output, log lines and deliveries."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app.api.schemas import INLINE_BYTES
from requests_app.models import Delivery, LogLine
from tests.api.conftest import Caller


def test_the_detail_has_what_went_in_and_what_came_out(owner: Caller) -> None:
    row = owner.make(output=b'{"images": [{"url": "x"}]}', output_size=26, metrics={"t": 1.5})
    LogLine.objects.create(request=row, message="loading", digest="1", level="INFO")
    Delivery.objects.create(
        request=row,
        received_at=timezone.now(),
        verdict="accepted",
        body=b"{}",
        body_size=2,
        headers={"x": "y"},
    )
    shown = owner.get(f"{row.public_id}/").json()
    assert shown["input"] == {"prompt": "a lighthouse"}
    assert shown["output"] == {"images": [{"url": "x"}]}
    assert shown["metrics"] == {"t": 1.5}
    assert [line["message"] for line in shown["logs"]] == ["loading"]
    assert [o["kind"] for o in shown["observations"]] == ["created"]
    assert shown["observations"][0]["seq"] == shown["seq"]
    [delivery] = shown["deliveries"]
    assert (delivery["verdict"], delivery["body_size"]) == ("accepted", 2)


def test_the_newest_log_lines_are_shown_oldest_first(owner: Caller) -> None:
    row = owner.make()
    LogLine.objects.bulk_create(
        LogLine(request=row, message=str(n), digest=str(n)) for n in range(1005)
    )
    messages = [line["message"] for line in owner.get(f"{row.public_id}/").json()["logs"]]
    assert messages == [str(n) for n in range(5, 1005)]


@pytest.mark.parametrize(
    "output", [b"\x89PNG", b'{"a": NaN}', b"[" * 70 + b"]" * 70, b"[" * 100_000, b"{"]
)
def test_an_output_that_is_not_plain_json_is_null_and_its_bytes_are_there(
    owner: Caller, output: bytes
) -> None:
    row = owner.make(output=output, output_size=len(output), output_type="image/png")
    shown = owner.get(f"{row.public_id}/").json()
    assert (shown["output"], shown["output_size"]) == (None, len(output))
    raw = owner.get(f"{row.public_id}/output/")
    assert raw.content == output
    assert raw["Content-Type"] == "image/png"
    assert raw["Content-Disposition"].startswith("attachment")
    assert raw["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert raw["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("over", "is_inline"), [(0, True), (1, False)])
def test_an_output_over_the_inline_limit_is_null_and_its_bytes_are_there(
    owner: Caller, over: int, is_inline: bool
) -> None:
    text = b'{"a": "%s"}' % (b"x" * (INLINE_BYTES - len(b'{"a": ""}') + over))
    row = owner.make(output=text, output_size=len(text), output_type="application/json")
    shown = owner.get(f"{row.public_id}/").json()
    assert (shown["output"] is not None) == is_inline
    assert (shown["output_size"], shown["output_type"]) == (len(text), "application/json")
    assert owner.get(f"{row.public_id}/output/").content == text


def test_an_output_of_an_odd_type_is_just_bytes(owner: Caller) -> None:
    row = owner.make(output=b"x", output_size=1, output_type="text/html\r\nX-Evil: 1")
    assert owner.get(f"{row.public_id}/output/")["Content-Type"] == "application/octet-stream"


def test_there_is_no_output_before_the_end(owner: Caller) -> None:
    row = owner.make()
    assert owner.get(f"{row.public_id}/").json()["output"] is None
    assert owner.get(f"{row.public_id}/output/").json() == {"detail": "Not found."}
