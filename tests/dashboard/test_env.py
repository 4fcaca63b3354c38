"""The environment: what is read, and which sentence stops the start."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard.env import (
    env_bool,
    env_choice,
    env_database,
    env_int,
    env_list,
    env_networks,
    env_text,
    env_url,
    kept_secret,
    origin_of,
)

Env = pytest.MonkeyPatch


def test_text_is_stripped_and_has_a_default(monkeypatch: Env) -> None:
    assert env_text("X_TEXT", "fallback") == "fallback"
    monkeypatch.setenv("X_TEXT", "  a key \n")
    assert env_text("X_TEXT", "fallback") == "a key"


def test_a_set_but_empty_text_is_empty(monkeypatch: Env) -> None:
    monkeypatch.setenv("X_TEXT", "")
    assert env_text("X_TEXT", "fallback") == ""


def test_a_file_holds_the_value(monkeypatch: Env, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("X_TEXT_FILE", str(tmp_path / "key"))
    assert env_text("X_TEXT") == "from a file"


def test_value_and_file_together_are_refused(monkeypatch: Env, tmp_path: Path) -> None:
    monkeypatch.setenv("X_TEXT", "a")
    monkeypatch.setenv("X_TEXT_FILE", str(tmp_path / "key"))
    with pytest.raises(ImproperlyConfigured, match="X_TEXT and X_TEXT_FILE are both set"):
        env_text("X_TEXT")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, monkeypatch: Env, tmp_path: Path
) -> None:
    if content:
        (tmp_path / "key").write_bytes(content)
    monkeypatch.setenv("X_TEXT_FILE", str(tmp_path / "key"))
    with pytest.raises(ImproperlyConfigured, match="X_TEXT_FILE cannot be read"):
        env_text("X_TEXT")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("Yes", True), ("ON", True), ("0", False), ("false", False), ("", False)],
)
def test_booleans(text: str, value: bool, monkeypatch: Env) -> None:
    monkeypatch.setenv("X_BOOL", text)
    assert env_bool("X_BOOL", default=not value) is value


def test_nonsense_for_a_boolean_is_refused(monkeypatch: Env) -> None:
    monkeypatch.setenv("X_BOOL", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="X_BOOL is 'perhaps'"):
        env_bool("X_BOOL", default=True)


def test_whole_numbers_and_their_least(monkeypatch: Env) -> None:
    assert env_int("X_INT", 5) == 5
    monkeypatch.setenv("X_INT", "12")
    assert env_int("X_INT", 5) == 12
    with pytest.raises(ImproperlyConfigured, match=r"X_INT is 12\. It must be at least 13"):
        env_int("X_INT", 5, least=13)


@pytest.mark.parametrize("text", ["", "1.5", "ten", "0x10"])
def test_what_is_no_whole_number_is_refused(text: str, monkeypatch: Env) -> None:
    monkeypatch.setenv("X_INT", text)
    with pytest.raises(ImproperlyConfigured, match="Use a whole number"):
        env_int("X_INT", 5)


def test_lists_leave_out_what_is_empty(monkeypatch: Env) -> None:
    monkeypatch.setenv("X_LIST", " a.example , ,b.example,")
    assert env_list("X_LIST") == ["a.example", "b.example"]


def test_networks_are_addresses_or_ranges(monkeypatch: Env) -> None:
    assert env_networks("X_NETWORKS") == []
    monkeypatch.setenv("X_NETWORKS", "203.0.113.7, 2001:db8::1/48,, ::ffff:10.0.0.0/104")
    told = ("203.0.113.7/32", "2001:db8::/48", "::ffff:10.0.0.0/104")
    assert env_networks("X_NETWORKS") == [ip_network(one) for one in told]


@pytest.mark.parametrize("text", ["fal.ai", "10.0.0.0/33", "10.0.0", "10.0.0.1;10.0.0.2", "*"])
def test_what_is_no_network_is_refused(monkeypatch: Env, text: str) -> None:
    monkeypatch.setenv("X_NETWORKS", f"203.0.113.7,{text}")
    with pytest.raises(ImproperlyConfigured, match=r"X_NETWORKS cannot be read: .*Use addresses"):
        env_networks("X_NETWORKS")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.example/", "https://a.example"),
        ("http://127.0.0.1:8000/queue/", "http://127.0.0.1:8000/queue"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("", ""),
    ],
)
def test_good_urls(text: str, url: str, monkeypatch: Env) -> None:
    monkeypatch.setenv("X_URL", text)
    assert env_url("X_URL", "https://default.example") == url


@pytest.mark.parametrize(
    "text",
    [
        "a.example", "ftp://a.example", "https://", "https://a.example:port", "https://a.example:0",
        "https://a.example:99999", "http://[::1", "https://a.example?x=1", "https://a.example#x",
        "https://a exa.mple", "https://a.exam\tple", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_bad_urls_are_named(text: str, monkeypatch: Env) -> None:
    monkeypatch.setenv("X_URL", text)
    with pytest.raises(ImproperlyConfigured, match="X_URL is "):
        env_url("X_URL")


@pytest.mark.parametrize("text", ["https://me:hunter2@a.example", "https://:hunter2@a.example"])
def test_a_password_in_a_url_is_refused_and_not_repeated(text: str, monkeypatch: Env) -> None:
    monkeypatch.setenv("X_URL", text)
    with pytest.raises(ImproperlyConfigured) as refused:
        env_url("X_URL")
    assert "hunter2" not in str(refused.value)


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    first = kept_secret(path)
    assert len(first) >= 60
    assert kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret_key"]


def test_programs_that_start_together_have_one_secret(tmp_path: Path) -> None:
    for attempt in range(20):
        path = tmp_path / f"secret_{attempt}"
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda _, path=path: kept_secret(path), range(8)))
        assert len(found) == 1
        assert all(found)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot be made"):
        kept_secret(tmp_path / "missing" / "secret_key")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example", "https://a.example"), ("https://A.Example:443", "https://a.example"),
        ("http://a.example:80/sub", "http://a.example"), ("", ""),
        ("https://a.example:8443", "https://a.example:8443"), ("http://[::1]:80", "http://[::1]"),
    ],
)  # fmt: skip
def test_an_origin_is_spelled_as_browsers_do(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_a_choice_is_one_of_its_words(monkeypatch: Env) -> None:
    assert env_choice("X_LEVEL", "LOW", ("LOW", "HIGH")) == "LOW"
    monkeypatch.setenv("X_LEVEL", "high")
    assert env_choice("X_LEVEL", "LOW", ("LOW", "HIGH")) == "HIGH"
    monkeypatch.setenv("X_LEVEL", "loud")
    with pytest.raises(ImproperlyConfigured, match="X_LEVEL is 'LOUD'"):
        env_choice("X_LEVEL", "LOW", ("LOW", "HIGH"))


def test_a_database_url_that_cannot_be_read_is_named_and_not_repeated(monkeypatch: Env) -> None:
    assert env_database("X_DB", "sqlite:///x.db")["ENGINE"].endswith("sqlite3")
    monkeypatch.setenv("X_DB", "postgres://me:hunter2@db:port/x")
    with pytest.raises(ImproperlyConfigured, match="X_DB cannot be read") as refused:
        env_database("X_DB", "sqlite:///x.db")
    assert "hunter2" not in str(refused.value)
