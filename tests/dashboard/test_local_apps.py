"""LOCAL_APPS: what is read, and which sentence stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard.local_apps import LocalApp, env_local_apps

Env = pytest.MonkeyPatch


def test_apps_are_read_with_what_is_said_of_them(monkeypatch: Env) -> None:
    text = "acme/one=http://127.0.0.1:8081/, acme/two=http://box:80/x;at_once=3;log=/var/two.log"
    monkeypatch.setenv("X_APPS", text)
    assert env_local_apps("X_APPS") == {
        "acme/one": LocalApp("acme/one", "http://127.0.0.1:8081"),
        "acme/two": LocalApp("acme/two", "http://box:80/x", 3, Path("/var/two.log")),
    }
    monkeypatch.delenv("X_APPS")
    assert env_local_apps("X_APPS") == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("acme=http://127.0.0.1:1", "Use owner/app=http://host:port"),
        ("acme/one", "Use owner/app=http://host:port"),
        ("acme/one=ftp://box", "Use owner/app=http://host:port"),
        ("acme/one=http://user:secret@box", "Use owner/app=http://host:port"),
        ("acme/one=http://box:port", "Use owner/app=http://host:port"),
        ("acme/one=http://box?x=1", "Use owner/app=http://host:port"),
        ("acme/one=http://box;at_once=0", "at_once is a whole number"),
        ("acme/one=http://box;colour=red", "'colour'"),
        ("acme/one=http://a,acme/one=http://b", "twice"),
    ],
)
def test_what_is_no_app_is_named(text: str, sentence: str, monkeypatch: Env) -> None:
    monkeypatch.setenv("X_APPS", text)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        env_local_apps("X_APPS")
