"""Input and output of one request go by a call of who manages the team."""

from __future__ import annotations

from requests_app.models import FalDeletion, FalRequest
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


def test_fal_is_asked_too_and_its_answer_is_read_with_the_request(owner: Caller) -> None:
    row, unnamed = owner.make(**ENDED), owner.make(**ENDED)
    FalRequest.objects.filter(pk=row.pk).update(fal_request_id=str(row.public_id))
    path = f"{row.public_id}/payload/?at_fal=true"
    refused = owner.delete(f"{unnamed.public_id}/payload/?at_fal=true")
    assert refused.status_code == 409 and "fal cannot be asked" in refused.json()["detail"]
    assert owner.delete(path).status_code == 200
    told = owner.get(f"{row.public_id}/").json()["fal_deletion"]
    assert (told["state"], told["tries"]) == ("waiting", 0)
    assert owner.delete(path).status_code == 409
    FalDeletion.objects.update(state="refused", due_at=None)
    assert owner.delete(path).status_code == 200
    assert owner.get(f"{unnamed.public_id}/").json()["fal_deletion"] is None
    assert owner.delete(f"{row.public_id}/payload/?at_fal=perhaps").status_code == 422
