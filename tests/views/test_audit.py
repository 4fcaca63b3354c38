"""The audit trail's page: for owners and admins, of their team alone, filtered, paged, as a file."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app import audit
from requests_app.audit import reading, sealing
from requests_app.export.audit_trail import FORMATS
from requests_app.models import AuditAct, AuditEntry
from tests.browsers import Browser
from tests.builders import make_request

PAGE, FILE = reverse("requests:audit"), reverse("requests:export_audit")


def noted(team, label, act=AuditAct.SETTING_CHANGED, by=None, **on):
    audit.note(act, audit.Noted("setting", label=label, **on), team_id=team.pk, by=by)


def written(team, format):
    return (
        b"".join(FORMATS[format](reading.records(reading.Wanted().of(team.pk))))
        .decode()
        .splitlines()
    )


def test_owners_and_admins_see_their_team_alone(as_owner, as_viewer, teammate, team, stranger):
    as_member = Browser()
    as_member.force_login(teammate)
    other = stranger.memberships.get().team
    noted(team, "of ours", details={"before": 5, "after": None})
    noted(other, "of theirs")
    page = as_owner.get(PAGE).text
    assert "of ours" in page and "of theirs" not in page
    assert "before" in page and "none" in page
    for client in (as_viewer, as_member):
        for address in (PAGE, FILE):
            assert client.get(address).status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["late", "by tom", "key", "early"]),
        ("kind=key", ["key"]),
        ("by=tom", ["by tom"]),
        ("by=tom&kind=key", []),
        ("on=object-7", ["key"]),
        ("until=2026-01-31", ["early"]),
        ("since=2026-02-01&until=2026-02-01", []),
        ("by=%27%20OR%201=1", []),
        ("before=x", ["late", "by tom", "key", "early"]),
    ],
)
def test_it_is_filtered(as_owner, team, owner, teammate, query, found):
    noted(team, "early")
    AuditEntry.objects.update(at="2026-01-31T23:59:59Z")
    noted(team, "key", AuditAct.KEY_ADDED, object_id="object-7")
    noted(team, "by tom", by=teammate)
    noted(team, "late", by=owner)
    reply = as_owner.get(f"{PAGE}?{query}")
    assert [entry.label for entry, _ in reply.context["entries"]] == found
    assert as_owner.get(f"{FILE}?{query}&format=jsonl").status_code == 200


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=2026-02-31", "kind=nonsense", "on=" + "x" * 65]
)
def test_a_filter_that_is_not_understood_is_said_so_and_kept(as_owner, query):
    reply = as_owner.get(f"{PAGE}?{query}")
    assert reply.status_code == 422
    assert as_owner.get(f"{FILE}?{query}").status_code == 404


def test_pages_follow_without_gap_or_repeat(as_owner, team, monkeypatch):
    monkeypatch.setattr(reading, "PAGE_SIZE", 3)
    for number in range(7):
        noted(team, f"nr. {number}")
    seen, address = [], "?"
    while address:
        reply = as_owner.get(f"{PAGE}{address}")
        seen += [entry.label for entry, _ in reply.context["entries"]]
        older = reply.context["older_query"]
        address = f"?{older}" if older else ""
    assert seen == [f"nr. {number}" for number in reversed(range(7))]


def test_a_file_has_what_is_hostile_as_text_and_its_seals(as_owner, team, owner):
    noted(team, "=cmd()", details={"why": "<b>"})
    make_request(team=team, person=owner)
    sealing.seal(timezone.now())
    rows, lines = written(team, "csv"), written(team, "jsonl")
    assert rows[0] == ",".join(reading.COLUMNS)
    assert "'=cmd()" in "".join(rows) and rows[-1].endswith(",1")
    assert json.loads(lines[1])["details"] == {"why": "<b>"}
    assert "&lt;b&gt;" in as_owner.get(PAGE).text
    assert as_owner.get(f"{FILE}?format=xml").status_code == 404
