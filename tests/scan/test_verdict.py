"""What of a scan fails, what is allowed, and which scan does not count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.scan import confined, verdict
from tests.scan.planted import COOKIE, FAULTS, PASSWORD, planted
from tests.scan.wapiti import Finding, Page, Report

XSS = Finding("xss", "Reflected Cross Site Scripting", "vulnerability", "/a/", "q", "found")
PAGES = tuple(Page(path, "GET", 200) for path in verdict.LOGGED_IN)
OWNER = Report(
    (), (*PAGES, *(Page(f"/{n}/", "GET", 200) for n in range(99)), Page("/x/", "POST", 302))
)
AWAY = tuple(Page(f"/away/{n}/", "GET", 302) for n in range(99))
LOGIN = Page("/accounts/login/", "GET", 200)


@pytest.mark.parametrize(
    ("finding", "fails"),
    [
        (XSS, True),
        (replace(XSS, kind="anomaly", category="Internal Server Error"), True),
        (replace(XSS, kind="XPATHi", category="XML External Entity"), True),
        (replace(XSS, category="Cross Site Request Forgery", info="Lack of anti CSRF token"), True),
        (replace(XSS, category="Cross Site Request Forgery", info="X is not properly checked in backend"), False),
        (replace(XSS, kind="additional", category="HTTP Methods"), False),
        (replace(XSS, category="Secure Flag cookie", info="Secure flag is not set: faldeck"), False),
        (replace(XSS, category="HttpOnly Flag cookie", info="not set in the cookie : csrftoken"), False),
        (replace(XSS, category="HttpOnly Flag cookie", info="not set in the cookie : faldeck"), True),
    ],
)  # fmt: skip
def test_a_finding_fails_unless_it_is_allowed_with_a_reason(finding: Finding, fails: bool) -> None:
    assert bool(list(verdict.found(Report((finding,), ())))) == fails


def test_every_allowance_says_why() -> None:
    assert all(len(one.why.split()) > 5 for one in verdict.ALLOWED)


@pytest.mark.parametrize(
    ("report", "word"),
    [
        (OWNER, ""),
        (replace(OWNER, pages=OWNER.pages[1:]), "not opened /settings/"),
        (replace(OWNER, pages=OWNER.pages[:9]), "too few"),
        (replace(OWNER, pages=OWNER.pages + AWAY), "log-in was lost"),
        (replace(OWNER, pages=OWNER.pages[:-1]), "no form"),
    ],
)
def test_a_scan_that_was_not_logged_in_does_not_count(report: Report, word: str) -> None:
    told = " ".join(verdict.unseen_as_owner(report))
    assert word in told if word else told == ""


def test_without_a_log_in_nothing_opens_but_the_log_in() -> None:
    assert not list(verdict.seen_as_anonymous(Report((), (LOGIN, *AWAY))))
    assert "/settings/ opens" in " ".join(verdict.seen_as_anonymous(Report((), (LOGIN, *PAGES))))
    assert "not opened" in " ".join(verdict.seen_as_anonymous(Report((), AWAY)))


def test_a_module_that_misses_its_fault_or_breaks_is_named() -> None:
    all_but_sql = tuple(
        replace(XSS, module=module, category=category)
        for module, category in FAULTS.items()
        if module != "sql"
    )
    assert ["planted fault for sql" in one for one in verdict.unfound(Report(all_but_sql, ()))] == [
        True
    ]
    assert "broke twice" in " ".join(verdict.unfinished(Report((), (), broken=("sql",)), "owner"))


@pytest.mark.parametrize("host", ["192.0.2.1", "wapiti3.ovh", b"wapiti3.ovh", "::1"])
def test_the_scanner_reaches_no_other_host(host: str | bytes) -> None:
    with pytest.raises(ConnectionRefusedError):
        confined.refuse_others("socket.getaddrinfo", (host, 443, 0, 0, 0))
    with pytest.raises(ConnectionRefusedError):
        confined.refuse_others("socket.connect", (None, (host, 443)))
    confined.refuse_others("socket.connect", (None, ("127.0.0.1", 1)))
    confined.refuse_others("open", (host, "r", 0))


@pytest.mark.slow
def test_the_planted_faults_lie_behind_a_log_in(tmp_path: Path) -> None:
    with planted() as server, httpx.Client(base_url=server.url) as http:
        assert http.get("/search?q=a").status_code == 302
        assert COOKIE not in str(
            http.post("/login", data={"login": "grace", "password": "x"}).headers
        )
        http.post("/login", data={"login": "grace", "password": PASSWORD})
        assert "for <b>" in http.get("/search", params={"q": "<b>"}).text
        http.post("/guests", data={"said": "<i>"})
        assert "<i>" in http.get("/guests").text
        assert "SQL syntax" in http.get("/item", params={"id": "'"}).text
        assert "root:" in http.get("/file", params={"name": "/etc/passwd"}).text
        http.get("/fetch", params={"url": f"{server.url}ssrf/s/7/6964/"})
        assert list(http.get("/get_ssrf.php?session_id=s").json()["7"]) == ["6964"]
        assert http.get("/get_ssrf.php?session_id=another").json() == {}
