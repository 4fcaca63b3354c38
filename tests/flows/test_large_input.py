"""An input of megabytes is submitted again without ever being put into a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.forms.short import LARGE_TEXT
from requests_app.forms.submit import GLIMPSE, new_token
from requests_app.models import FalRequest, Team
from requests_app.rules.json_bounds import MAX_NODES
from tests.builders import make_request

pytestmark = pytest.mark.django_db

NEW = "/requests/new/"
PAGE = 300_000  # bytes a page may have, whatever is in it
LARGE = {
    "one text": {"a": "<&'\">" * 400_000},
    "many members": {f"k{n}": 0 for n in range(200_000)},
    "a long list": {"a": [[n] for n in range(100_000)]},
}


@pytest.fixture(params=LARGE)
def large(request: pytest.FixtureRequest, team: Team, owner: User) -> FalRequest:
    return make_request(team=team, person=owner, input=LARGE[request.param])


def posted(row: FalRequest, **changed: Any) -> dict[str, Any]:
    return {
        "token": new_token(), "endpoint_id": row.endpoint_id, "mode": "queue", "input": "",
        "input_of": str(row.public_id), "again_of": str(row.public_id),
    } | changed  # fmt: skip


@pytest.mark.slow
def test_no_page_holds_it(large: FalRequest, as_owner: Client) -> None:
    detail = reverse("requests:detail", args=[large.public_id])
    for path in (f"{NEW}?again={large.public_id}", detail, f"{detail}?tab=input", "/requests/"):
        assert len(as_owner.get(path).content) < PAGE
    page = as_owner.get(f"{NEW}?again={large.public_id}").content.decode()
    assert f'name="input_of" value="{large.public_id}"' in page
    assert reverse("requests:input", args=[large.public_id]) in page


@pytest.mark.slow
def test_it_is_sent_again_as_it_was(large: FalRequest, as_owner: Client) -> None:
    assert as_owner.post(NEW, posted(large)).status_code == 302
    made = FalRequest.objects.latest("id")
    assert (made.again_of, made.input_text) == (large, large.input_text)


@pytest.mark.slow
def test_what_is_typed_counts_instead(large: FalRequest, as_owner: Client) -> None:
    as_owner.post(NEW, posted(large, input='{"b": 1}'))
    assert FalRequest.objects.latest("id").input_text == '{"b": 1}'


@pytest.mark.slow
def test_another_error_keeps_the_reference(large: FalRequest, as_owner: Client) -> None:
    reply = as_owner.post(NEW, posted(large, endpoint_id="nonsense"))
    assert (reply.status_code, len(reply.content) < PAGE) == (422, True)
    assert f'name="input_of" value="{large.public_id}"' in reply.content.decode()


@pytest.mark.parametrize("why", ["foreign", "removed", "none"])
def test_an_input_that_is_not_there_is_no_empty_one(
    why: str, team: Team, owner: User, stranger: User, as_owner: Client, as_stranger: Client
) -> None:
    row = make_request(team=team, person=owner, input={"a": "x" * LARGE_TEXT})
    if why == "removed":
        FalRequest.objects.update(payload_removed_at=timezone.now(), input_text="")
    wish = posted(row, input_of=new_token() if why == "none" else str(row.public_id))
    client = as_stranger if why == "foreign" else as_owner
    reply = client.post(NEW, wish, headers={"HX-Request": "true"})
    assert reply.status_code == 422
    assert "not there any more" in reply.content.decode()
    assert FalRequest.objects.count() == 1


def test_a_large_text_that_was_typed_is_not_put_back_into_a_page_either(
    team: Team, owner: User, as_owner: Client
) -> None:
    row = make_request(team=team, person=owner, input={})
    typed = json.dumps({"a": "<" * 2 * LARGE_TEXT})
    reply = as_owner.post(NEW, posted(row, input=typed, input_of="", endpoint_id="nonsense"))
    assert (reply.status_code, len(reply.content) < PAGE) == (422, True)
    assert "Go back" in reply.content.decode()


TOO_MUCH = {
    "a list of numbers": f'{{"a": [{"0," * MAX_NODES}0]}}',
    "members": "{" + ",".join(f'"k{n}":0' for n in range(MAX_NODES)) + "}",
    "empty objects": f'{{"a": [{"{}," * MAX_NODES}0]}}',
    "pairs": f'{{"a": [{"[0,0]," * (MAX_NODES // 3)}0]}}',
}


@pytest.mark.slow
@pytest.mark.parametrize("is_script", [False, True])
@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_more_values_than_the_bound_are_refused_by_the_form_with_the_bound(
    db: None, as_owner: Client, text: str, is_script: bool
) -> None:
    wish = {"token": new_token(), "endpoint_id": "acme/img", "mode": "queue", "input": text}
    headers = {"HX-Request": "true"} if is_script else {}
    reply = as_owner.post(NEW, wish, headers=headers)
    assert (reply.status_code, len(reply.content) < PAGE) == (422, True)
    assert f"The input has more than {MAX_NODES:,} values" in reply.content.decode()
    assert not FalRequest.objects.exists()


def test_a_glimpse_is_small() -> None:
    assert GLIMPSE < LARGE_TEXT / 10
