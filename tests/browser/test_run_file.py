"""The file of a run, downloaded and opened from disk: it shows itself without server, script or network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import faults_of
from tests.process.serving import Serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def picture(installation: Serving) -> str:
    """The path of a request with a picture."""
    token = installation.manage("create_token", "--user=grace", "--team=Navy")
    body = {
        "endpoint_id": "sandbox/image", "input": {"prompt": "<b>dusk</b>"}, "allow_duplicate": True,
    }  # fmt: skip
    made = httpx.post(
        f"{installation.url}/api/v1/requests/?wait=60", json=body, timeout=90,
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert made.json()["status"] == "completed"
    return f"/requests/{made.json()['id']}/"


def test_a_downloaded_run_opens_from_disk_with_its_picture(
    open_page: OpenPage, window: Browser, picture: str, tmp_path: Path
) -> None:
    page = open_page(picture)
    page.wait_for_load_state("networkidle")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download run").click()
    download.value.save_as(tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path / "run")
    context = window.new_context(viewport={"width": 390, "height": 844}, bypass_csp=False)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    run = context.new_page()
    run.on("console", lambda message: complaints.append(message.text))
    run.goto((tmp_path / "run" / "index.html").as_uri())
    expect(run.get_by_role("heading", level=1)).to_have_text("sandbox/image")
    expect(run.locator("pre").filter(has_text="<b>dusk</b>").first).to_be_visible()
    image = run.locator("img").first
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert run.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = run.evaluate(ground)
    run.emulate_media(color_scheme="dark")
    assert run.evaluate(ground) != light
    assert complaints == []
    assert all(url.startswith("file:") for url in asked)
    context.close()
    # axe writes styles, which the page's own policy refuses.
    free = window.new_context(bypass_csp=True)
    for scheme in ("light", "dark"):
        run = free.new_page()
        run.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        run.goto((tmp_path / "run" / "index.html").as_uri())
        for more in run.locator("summary").all():
            more.click()
        assert faults_of(run) == []
    free.close()
