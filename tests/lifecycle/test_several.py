"""Several requests by one press: all or none, once."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, IdempotencyKey
from tests.builders import make_draft


def create(team, owner, count, *, key="k", digest="d", drafts=None):
    made = drafts or [make_draft(input={"seed": number}) for number in range(count)]
    return lifecycle.create_several_once(
        made, team=team, person=owner, now=timezone.now(), key=key, body_digest=digest
    )


def test_each_is_a_request_of_its_own(team, owner):
    rows = create(team, owner, 3)
    assert [row.input_text for row in rows] == ['{"seed": 0}', '{"seed": 1}', '{"seed": 2}']
    assert FalRequest.objects.count() == 3


def test_the_same_key_and_body_are_the_same_requests_whatever_was_drawn(team, owner):
    first = create(team, owner, 3)
    again = create(team, owner, 3, drafts=[make_draft(input={"seed": 90 + n}) for n in range(3)])
    assert [row.pk for row in again] == [row.pk for row in first]
    assert FalRequest.objects.count() == 3


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (2, 3)])
def test_another_number_by_the_same_key_is_refused_and_makes_nothing(team, owner, before, after):
    create(team, owner, before, digest=str(before))
    with pytest.raises(lifecycle.KeyReused):
        create(team, owner, after, digest=str(after))
    assert FalRequest.objects.count() == before


def test_one_that_fails_leaves_none(team, owner, monkeypatch):
    drafts = [make_draft(), make_draft(endpoint_id="x" * 5000)]
    monkeypatch.setattr(
        "requests_app.lifecycle.several.create_once",
        _failing_at(lifecycle.create_once, drafts[1]),
    )
    with pytest.raises(RuntimeError):
        create(team, owner, 2, drafts=drafts)
    assert not FalRequest.objects.exists()
    assert not IdempotencyKey.objects.exists()


def _failing_at(create_once, wrong):
    def create(draft, **more):
        if draft is wrong:
            raise RuntimeError("the disk is full")
        return create_once(draft, **more)

    return create
