"""A first start: what it makes is readable by its user alone, whatever the umask, and its pages are light."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = [pytest.mark.process, pytest.mark.long]


@pytest.fixture(autouse=True)
def _from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Serving, "prepared", None)


@pytest.fixture(params=[0o022, 0o000], ids=["umask 022", "umask 000"])
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The data folder of an installation that has started and stopped once."""
    serving = Serving(tmp_path, SANDBOX_PORT=str(free_port()))
    usual = os.umask(request.param)
    try:
        serving.start()
        serving.stop()
    finally:
        os.umask(usual)
    yield tmp_path / "data"


def test_a_fresh_start_keeps_everything_for_its_user(fresh: Path) -> None:
    modes = {
        str(path.relative_to(fresh)): (path.is_dir(), stat.S_IMODE(path.lstat().st_mode))
        for path in [fresh, *fresh.rglob("*")]
    }
    assert {".", "secret_key", "faldeck.sqlite3", "sandbox.sqlite3"} <= modes.keys()
    readable = {
        name: oct(mode)
        for name, (is_folder, mode) in modes.items()
        if mode != (0o700 if is_folder else 0o600)
    }
    assert readable == {}


def test_its_first_page_is_compressed_and_names_files_that_a_browser_keeps_for_ever(
    tmp_path: Path,
) -> None:
    gzip = {"Accept-Encoding": "gzip"}
    serving = Serving(tmp_path, SANDBOX_PORT=str(free_port()))
    with serving, httpx.Client(base_url=serving.url, headers=gzip) as browser:
        page = browser.get("/accounts/login/")
        named = re.findall(r'"(/static/[^"#]+)', page.text)
        replies = [browser.get(address) for address in named]
    assert page.headers["Content-Encoding"] == "gzip"
    assert len(named) > 10
    assert {reply.status_code for reply in replies} == {200}
    assert all("immutable" in reply.headers["Cache-Control"] for reply in replies)
    assert sum("Content-Encoding" in reply.headers for reply in replies) > 8
