"""Collecting: hashed names that fit, files that stay, and what happens when the disk takes nothing."""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from dashboard.hashed_files import without_comments
from dashboard.static_files import KEPT_S, StaticFiles, prepare, use_collected
from requests_app.templatetags.modules import modules_of
from tests.source import ROOT, text_of

ENTRY = "js/pages/workspace.js"
HASHED = re.compile(r"(.+)\.[0-9a-f]{12}(\.\w+)")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder, and the names."""
    folder = tmp_path_factory.mktemp("data") / "static"
    return folder, prepare(folder)


@pytest.fixture
def own(settings: Any, tmp_path: Path) -> Path:
    """The sources are one module, one that it imports, and a style."""
    source = tmp_path / "source"
    (source / "js").mkdir(parents=True)
    (source / "css").mkdir()
    (source / "js/a.js").write_text('import { b } from "./b.js";\nb();\n')
    (source / "js/b.js").write_text("export const b = () => 1;\n")
    (source / "css/a.css").write_text("a { color: red }\n" * 50)
    settings.STATICFILES_DIRS = [source]
    return source


def files_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Path, inode and time of each file that is served."""
    files = folder / "files"
    return {
        str(path.relative_to(files)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in files.rglob("*")
        if path.is_file()
    }


# --- names and contents ---


def test_a_file_is_its_source_and_a_module_of_ours_differs_in_comments_and_imports(collected):
    folder, names = collected
    assert len([name for name in names if name.startswith("js/")]) > 50
    for name, hashed in names.items():
        assert HASHED.fullmatch(hashed).expand(r"\1\2") == name
        text = (folder / "files" / hashed).read_bytes()
        source = Path(finders.find(name)).read_bytes()
        if name.startswith("js/"):
            assert text.count(b"\n") == source.count(b"\n")
            text = re.sub(rb'((?:from|import) "\.\.?/[^"]*?)\.[0-9a-f]{12}\.js"', rb'\1.js"', text)
            source = without_comments(source)
        if name.startswith("css/pages/"):
            assert b"@import" in source and b"@import" not in text
        else:
            assert text == source, name


def test_a_style_sheet_takes_in_what_it_imports_in_its_place(own, tmp_path):
    (own / "css/deep").mkdir()
    (own / "css/deep/b.css").write_text("b {\n}\n")
    (own / "css/deep/c.css").write_text('@import url("b.css");\nc {\n}\n')
    (own / "css/d.css").write_text('@import url("deep/c.css");\n@import url("a.css");\nd {\n}\n')
    folder = tmp_path / "static"
    before = prepare(folder)
    text = (folder / "files" / before["css/d.css"]).read_text()
    assert re.findall(r"^[a-d](?= \{)", text, re.MULTILINE) == ["b", "c", *"a" * 50, "d"]
    (own / "css/deep/b.css").write_text("b {\n  color: red;\n}\n")
    after = prepare(folder)
    assert {name for name in after if after[name] != before[name]} == {
        "css/d.css",
        "css/deep/b.css",
        "css/deep/c.css",
    }


def test_every_import_of_a_style_sheet_leads_to_one():
    for path in (ROOT / "static/css").rglob("*.css"):
        for address in re.findall(r"@import (.*)", path.read_text()):
            named = re.fullmatch(r'url\("([\w./]+)"\);', address)
            assert named and (path.parent / named[1]).is_file(), f"{path}: {address}"


def test_a_module_imports_hashed_names_that_are_there(collected):
    folder, names = collected
    for name in modules_of("workspace"):
        file = folder / "files" / names[name]
        for address in re.findall(r'(?m)^(?:import|}|export).*"(\.\.?/.*)"', file.read_text()):
            path = (file.parent / address).resolve()
            assert path.is_file()
            assert str(path.relative_to(folder.resolve() / "files")) in names.values()


def test_a_change_deep_down_renames_all_that_lead_to_it(own, tmp_path):
    before = prepare(tmp_path / "static")
    (own / "js/b.js").write_text("export const b = () => 22;\n")
    after = prepare(tmp_path / "static")
    assert {name for name in before if before[name] != after[name]} == {"js/a.js", "js/b.js"}


def test_a_text_is_there_compressed_too(collected):
    folder, names = collected
    file = folder / "files" / names["css/lib/base.css"]
    assert gzip.decompress(Path(f"{file}.gz").read_bytes()) == file.read_bytes()
    assert brotli.decompress(Path(f"{file}.br").read_bytes()) == file.read_bytes()


# --- once, and for how long ---


def test_nothing_is_written_again_while_the_sources_stay(own, tmp_path):
    folder = tmp_path / "static"
    names = prepare(folder)
    before = files_in(folder)
    assert len(before) >= 3
    assert prepare(folder) == names
    assert files_in(folder) == before


@pytest.mark.parametrize("damage", ["gone", "cut", "manifest", "no manifest"])
def test_what_a_crash_left_is_made_whole(own, tmp_path, damage):
    folder = tmp_path / "static"
    names = prepare(folder)
    file, manifest = folder / "files" / names["css/a.css"], folder / "manifest.json"
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(b"")
    elif damage == "manifest":
        manifest.write_text(manifest.read_text()[:40])
    else:
        manifest.unlink()
    (folder / "new-left").mkdir()
    assert prepare(folder) == names
    assert file.read_bytes() == whole
    assert not list(folder.glob("new-*"))


def test_files_of_an_older_version_stay_for_pages_that_are_open(own, tmp_path):
    folder = tmp_path / "static"
    old = folder / "files" / prepare(folder)["js/b.js"]
    long_ago = time.time() - 10 * KEPT_S  # it was in use for long
    os.utime(old, (long_ago, long_ago))
    (own / "js/b.js").write_text("export const b = () => 22;\n")
    prepare(folder)
    assert old.is_file()
    os.utime(old, (long_ago, long_ago))  # a month later
    (own / "js/b.js").write_text("export const b = () => 333;\n")
    prepare(folder)
    assert not old.exists()


def test_a_file_that_did_not_change_is_left_alone_for_it_may_be_being_read(own, tmp_path):
    folder = tmp_path / "static"
    style = prepare(folder)["css/a.css"]
    inode = files_in(folder)[style][0]
    (own / "js/b.js").write_text("export const b = () => 22;\n")
    prepare(folder)
    assert files_in(folder)[style][0] == inode


COLLECT = """
import json, pathlib, sys, django
django.setup()
from dashboard.hashed_files import without_comments
from dashboard.static_files import prepare
print(json.dumps(prepare(pathlib.Path(sys.argv[1]))))
"""


@pytest.mark.slow
def test_processes_that_start_together_agree(tmp_path):
    folder = tmp_path / "static"
    environment = {
        **os.environ, "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "dashboard.settings"
    }  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COLLECT, str(folder)],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    names = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert names[0] == names[1] == names[2]
    assert all((folder / "files" / hashed).is_file() for hashed in names[0].values())


# --- what pages name ---


@pytest.fixture
def in_use(settings: Any, collected: tuple[Path, dict[str, str]]) -> Iterator[Path]:
    """As in `serve`."""
    folder, _ = collected
    settings.DATA_DIR = folder.parent
    use_collected()
    yield folder
    staticfiles_storage.use({})


@pytest.mark.slow
def test_every_static_address_of_a_page_is_hashed(in_use, as_owner):
    for page in ("requests:list", "requests:new", "api:openapi-view"):
        html = as_owner.get(reverse(page)).content.decode()
        named = set(re.findall(r'["\'](/static/[^"\'#]+)', html))
        assert len(named) > 5
        assert [address for address in named if not HASHED.fullmatch(address)] == []


HEADERS = 230  # bytes, of each file's reply as `serve` sends it
MOST_KB = 150  # what a page may weigh at the first visit; `make bench` measures it in a browser


@pytest.mark.parametrize("page", ["requests:list", "requests:new", "requests:realtime"])
def test_a_first_visit_is_light(in_use, as_owner, page):
    reply = as_owner.get(reverse(page), headers={"Accept-Encoding": "gzip"})
    html = gzip.decompress(reply.content).decode()
    named = set(re.findall(r'["\'](/static/[^"\'#]+)', html))
    files = [in_use / "files" / address.removeprefix("/static/") for address in named]
    sent = [min(one.stat().st_size for one in path.parent.glob(f"{path.name}*")) for path in files]
    assert (len(reply.content) + sum(sent) + HEADERS * len(named)) / 1000 <= MOST_KB


def test_a_hashed_file_is_compressed_and_kept_for_ever_and_a_plain_name_leads_to_the_source(
    in_use, db
):
    served = StaticFiles(lambda request: HttpResponse("page"))
    ask = RequestFactory(headers={"Accept-Encoding": "gzip"})
    address = staticfiles_storage.url(ENTRY)
    reply = served(ask.get(address))
    assert reply["Cache-Control"] == "max-age=315360000, public, immutable"
    assert reply["Content-Encoding"] == "gzip"
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert sum(len(name) + len(value) for name, value in reply.items()) < 230
    reply.close()
    reply = served(ask.get(f"/static/{ENTRY}"))
    assert reply["Cache-Control"] == "max-age=60, public"
    assert b"".join(reply) == text_of(f"static/{ENTRY}").encode()
    reply.close()


def test_a_process_serves_what_another_version_has_collected_since(in_use, db):
    served = StaticFiles(lambda request: HttpResponse("page"))
    (in_use / "files/js/later.0123456789ab.js").write_text("later();")
    reply = served(RequestFactory().get("/static/js/later.0123456789ab.js"))
    assert b"".join(reply) == b"later();"
    reply.close()
    for path in ("../manifest.json", "js/%2e%2e/%2e%2e/manifest.json", "js/none.js", "js", "js/"):
        assert served(RequestFactory().get(f"/static/{path}")).content == b"page"


def test_without_serve_pages_name_the_sources(as_owner):
    assert "/static/css/pages/frame.css" in as_owner.get(reverse("requests:list")).content.decode()


def test_a_disk_that_takes_nothing_is_a_warning_and_pages_name_the_sources(
    settings, tmp_path, caplog, as_owner
):
    (tmp_path / "static").write_text("in the way")
    settings.DATA_DIR = tmp_path
    with caplog.at_level(logging.WARNING):
        use_collected()
    assert "Static files cannot be collected" in caplog.text
    assert settings.STATIC_ROOT is None
    assert "/static/css/pages/frame.css" in as_owner.get(reverse("requests:list")).content.decode()


def test_the_manifest_is_no_page(in_use):
    assert json.loads((in_use / "manifest.json").read_text())["digest"]
    served = StaticFiles(lambda request: HttpResponse("page"))
    assert served(RequestFactory().get("/static/manifest.json")).content == b"page"
