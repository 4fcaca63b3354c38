"""What retention takes of a batch, and what is shown of it afterwards."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.batches import control, removing
from requests_app.batches.results import as_csv, as_jsonl, as_zip
from requests_app.models import ApiToken, Batch, BatchState, FalRequest, Team
from requests_app.upkeep import retention
from tests.batches.conftest import counts, make_batch
from tests.batches.test_feeding import end_open, turn
from tests.upkeep.test_retention import keep

pytestmark = pytest.mark.django_db
SECRET = "violet"
INPUT = {"prompt": f"a {SECRET} {{{{subject}}}}", "seed": "{{seed}}"}


def make_ended(team: Team, owner: User, *, days: float, rows: int = 3) -> Batch:
    """A cancelled batch: its first row completed, the others were never sent."""
    batch = make_batch(team, owner, rows=rows, concurrency=1, input=INPUT, name="zoo")
    turn(batch)
    end_open(batch)
    control.cancel(batch, person=owner, now=timezone.now())
    turn(batch)
    assert (batch.state, counts(batch)) == ("cancelled", {"completed": 1, "cancelled": rows - 1})
    ago = timezone.now() - timedelta(days=days)
    FalRequest.objects.update(ended_at=ago)
    Batch.objects.filter(pk=batch.pk).update(ended_at=ago)
    batch.refresh_from_db()
    return batch


def prune(*teams: Team) -> dict[str, int]:
    return {share.kind: share.count for share in retention.prune(timezone.now(), list(teams))}


def stored(batch: Batch) -> str:
    """The input and the values, as the database holds them."""
    batch.refresh_from_db()
    return batch.text + "".join(batch.items.order_by("number").values_list("values", flat=True))


def test_rows_that_were_never_sent_lose_their_values_with_the_batch_s_input(
    team: Team, owner: User
) -> None:
    batch = make_ended(team, owner, days=31)
    assert prune(keep(team, payload=30)) == {"payload": 1, "values": 1}
    assert stored(batch) == ""
    assert counts(batch) == {"completed": 1, "cancelled": 2}
    assert prune(team) == {"payload": 0, "values": 0}


def test_rows_whose_request_was_deleted_lose_their_values(team: Team, owner: User) -> None:
    batch = make_ended(team, owner, days=31)
    assert prune(keep(team, rows=30)) == {"rows": 1, "values": 1}
    assert not FalRequest.objects.exists()
    assert stored(batch) == ""


@pytest.mark.parametrize(
    ("days", "rules", "gone"),
    [
        (29.9, {"payload": 30}, False),
        (30.1, {"payload": 30}, True),
        (30.1, {"payload": 30, "rows": 90}, True),
        (30.1, {"payload": 90, "rows": 30}, True),
        (900, {"frames": 1}, False),
        (900, {}, False),
    ],
)
def test_the_days_are_those_of_its_inputs_and_count_from_its_end(
    team: Team, owner: User, days: float, rules: dict[str, int], gone: bool
) -> None:
    batch = make_ended(team, owner, days=days)
    prune(keep(team, **rules))
    assert (stored(batch) == "") is gone


@pytest.mark.parametrize("state", sorted({*BatchState} - {"finished", "cancelled"}))
def test_a_batch_that_has_not_ended_keeps_all(team: Team, owner: User, state: str) -> None:
    batch = make_ended(team, owner, days=900)
    Batch.objects.filter(pk=batch.pk).update(state=state)
    before = stored(batch)
    assert prune(keep(team, payload=1))["values"] == 0
    assert not removing.remove_values(batch.pk, before=timezone.now())
    assert SECRET in before and "s3" in before
    assert batch.items.get(number=3).values == '"s3"\n"3"'


def test_more_rows_than_one_transaction_takes_all_go(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "AT_ONCE", 2)
    batch = make_ended(team, owner, days=2, rows=5)
    assert prune(keep(team, payload=1))["values"] == 1
    assert stored(batch) == ""


def test_another_team_s_batch_stays(team: Team, owner: User, stranger: User) -> None:
    theirs = make_ended(Team.objects.get(name="Other"), stranger, days=900)
    mine = make_ended(team, owner, days=900)
    assert prune(keep(team, payload=1))["values"] == 1
    assert (stored(mine) == "", stored(theirs) == "") == (True, False)


def test_a_dry_run_counts_it_and_keeps_it(team: Team, owner: User) -> None:
    batch = make_ended(team, owner, days=31)
    keep(team, payload=30)
    out = StringIO()
    call_command("prune", "--dry-run", stdout=out)
    assert "Acme: values of 1 batch (" in out.getvalue()
    assert SECRET in stored(batch)
    [share] = [one for one in retention.plan(timezone.now(), [team]) if one.kind == "values"]
    assert share.size == len(stored(batch))


# --- what is shown of it ---------------------------------------------------------------------------


@pytest.fixture
def emptied(team: Team, owner: User) -> Batch:
    batch = make_ended(team, owner, days=31)
    prune(keep(team, payload=30))
    batch.refresh_from_db()
    return batch


def test_the_page_says_what_was_removed(
    emptied: Batch, as_owner: Client, as_viewer: Client
) -> None:
    address = reverse("requests:batch", args=[emptied.public_id])
    for client in (as_owner, as_viewer):
        shown = client.get(address).content.decode()
        assert "Removed by retention: the input and the values of all rows." in shown
        assert shown.count('<span class="muted">Removed by retention</span>') == 3
    assert as_owner.get(reverse("requests:batches")).status_code == 200


def test_a_batch_whose_values_are_kept_says_nothing_of_it(
    team: Team, owner: User, as_owner: Client
) -> None:
    batch = make_ended(team, owner, days=1)
    shown = as_owner.get(reverse("requests:batch", args=[batch.public_id])).content.decode()
    assert "Removed" not in shown


def test_failed_rows_without_values_are_not_offered_again(
    emptied: Batch, owner: User, as_owner: Client
) -> None:
    emptied.items.filter(number=2).update(state="failed")
    Batch.objects.update(state=BatchState.FINISHED, failed=1, cancelled=1)
    shown = as_owner.get(reverse("requests:batch", args=[emptied.public_id])).content.decode()
    assert "Retry failed" not in shown
    assert control.retry_failed(emptied, person=owner, now=timezone.now()) == 0


def test_the_results_say_it_in_every_form(emptied: Batch) -> None:
    lines = b"".join(as_csv(emptied)).decode().splitlines()
    assert lines[1].startswith("Removed,Removed,1,completed,")
    assert lines[1].endswith(",Removed")
    assert lines[2] == "Removed,Removed,2,cancelled,,,,"
    records: list[Any] = [json.loads(line) for line in as_jsonl(emptied)]
    assert [record["values"] for record in records] == [None] * 3
    assert [record["removed"] for record in records] == [
        ["values", "output"], ["values"], ["values"],
    ]  # fmt: skip
    assert b"outputs/1." not in b"".join(as_zip(emptied))


def test_the_api_tells_it(emptied: Batch, owner: User, team: Team, client: Client) -> None:
    token = {"Authorization": f"Bearer {ApiToken.issue(owner, team)}"}
    address = f"/api/v1/batches/{emptied.public_id}/"
    assert client.get(address, headers=token).json()["values_removed"] is True
    items = client.get(f"{address}items/", headers=token).json()["items"]
    assert [item["values"] for item in items] == [None] * 3
