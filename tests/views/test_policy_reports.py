"""Reports of browsers: what is counted of them, and how little anyone can make of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from requests_app.upkeep.policy_reports import MOST_KINDS, policy_reports
from requests_app.views import policy_reports as view

ADDRESS = reverse("requests:report_policy")
PAGE = "http://testserver/requests/0f3a9c21-0000-4000-8000-000000000001/?q=private"


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    policy_reports.forget()
    view.buckets.forget()
    yield
    policy_reports.forget()
    view.buckets.forget()


def report(client: Client, content_type: str = view.TYPE, **told: Any) -> int:
    values = {"effective-directive": "script-src", "blocked-uri": "inline", "document-uri": PAGE}
    body = json.dumps({"csp-report": values | told})
    return client.post(ADDRESS, body, content_type=content_type).status_code


def test_reports_are_counted_by_kind_and_each_kind_is_logged_once(as_owner, caplog):
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        assert report(as_owner) == 204
    evil = {"blocked-uri": "https://evil.example/a?secret=1", "effective-directive": "img-src"}
    assert report(as_owner, **evil) == 204
    first, second = policy_reports.of_users()
    assert (first.count, second.count) == (3, 1)
    assert first.breach.page == "/requests/<uuid:public_id>/"
    assert second.breach.blocked == "https://evil.example"
    lines = [one.getMessage() for one in caplog.records if "A browser blocked" in one.getMessage()]
    assert len(lines) == 2 and "private" not in "".join(lines) and "secret=1" not in "".join(lines)


def test_health_tells_of_reports_without_the_hosts(as_owner):
    page = reverse("requests:health_page")
    assert "No browser has reported" in as_owner.get(page).text
    report(Client())  # of a caller whom nothing is known of
    assert "No browser has reported" in as_owner.get(page).text
    report(as_owner, **{"blocked-uri": "https://of-one-team.example/x"})
    shown = as_owner.get(page).text
    assert "script-src on /requests/&lt;uuid:public_id&gt;/ (1)" in shown
    assert "of-one-team" not in shown


def test_what_is_no_report_is_refused(db):
    assert report(Client(), content_type="application/json") == 415
    for body, code in (
        (b"{", 400),
        (b"[]", 400),
        (b'{"csp-report": 1}', 400),
        (b" " * 17_000, 413),
    ):
        assert Client().post(ADDRESS, body, content_type=view.TYPE).status_code == code
    assert Client().get(ADDRESS).status_code == 405
    assert policy_reports.of_users() == []


def test_words_of_strangers_do_not_reach_the_log(db, caplog):
    nasty = "x\n2026 ERROR forged \x1b[31m <script>"
    told = dict.fromkeys(
        ("effective-directive", "blocked-uri", "document-uri", "source-file"), nasty
    )
    assert report(Client(), **told) == 204
    assert report(Client(), **dict.fromkeys(told, "http://[")) == 204
    assert report(Client(), **dict.fromkeys(told, 7)) == 204
    written = "".join(one.getMessage() for one in caplog.records)
    assert "forged" not in written and "other blocked other on another page" in written


@pytest.mark.slow
def test_neither_kinds_nor_reports_grow_without_a_bound(as_owner, monkeypatch):
    monkeypatch.setattr(view, "PER_MINUTE", 10_000)
    for n in range(MOST_KINDS + 20):
        assert report(as_owner, **{"blocked-uri": f"https://host-{n}.example"}) == 204
    assert len(policy_reports.of_users()) == MOST_KINDS
    view.buckets.forget()
    monkeypatch.setattr(view, "PER_MINUTE", 2)
    assert [report(Client()) for _ in range(3)] == [204, 204, 429]
