"""Input and output of one request go by a call of who manages the team."""

from __future__ import annotations

from tests.api.conftest import Caller
from tests.api.test_acting import ENDED


def test_input_and_output_of_an_ended_request_are_deleted_once(
    owner: Caller, teammate: Caller
) -> None:
    row, live = owner.make(**ENDED), owner.make()
    assert teammate.delete(f"{row.public_id}/payload/").status_code == 403
    assert owner.delete(f"{live.public_id}/payload/").status_code == 409
    assert owner.delete(f"{row.public_id}/payload/").status_code == 200
    row.refresh_from_db()
    assert row.input_text == "" and row.payload_removed_at is not None
    again = owner.delete(f"{row.public_id}/payload/")
    assert again.status_code == 409 and "removed before" in again.json()["detail"]
