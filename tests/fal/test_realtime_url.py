from __future__ import annotations

import pytest

from requests_app.fal import (
    EndpointId,
    Hosts,
    InvalidBuffering,
    InvalidRealtimePath,
    realtime_url,
)

FAL = Hosts.fal()


@pytest.mark.parametrize(
    ("endpoint", "path", "url"),
    [
        ("fal-ai/flux/dev", "/realtime", "wss://fal.run/fal-ai/flux/dev/realtime"),
        ("fal-ai/flux/realtime", "/realtime", "wss://fal.run/fal-ai/flux/realtime"),
        ("fal-ai/flux", "realtime/", "wss://fal.run/fal-ai/flux/realtime"),
        ("fal-ai/flux", "/ws/v2.1", "wss://fal.run/fal-ai/flux/ws/v2.1"),
        ("fal-ai/flux", "", "wss://fal.run/fal-ai/flux"),
        ("fal-ai/flux", "/", "wss://fal.run/fal-ai/flux"),
        ("fal-ai/notrealtime", "/realtime", "wss://fal.run/fal-ai/notrealtime/realtime"),
        ("workflows/me/flow", "/realtime", "wss://fal.run/workflows/me/flow/realtime"),
    ],
)
def test_the_path_follows_the_whole_id_and_is_not_doubled(
    endpoint: str, path: str, url: str
) -> None:
    assert realtime_url(FAL, EndpointId.parse(endpoint), path=path) == url


def test_token_and_buffering_go_into_the_query() -> None:
    endpoint = EndpointId.parse("a/b")
    url = realtime_url(FAL, endpoint, token="x.y=&z", max_buffering=60)
    assert url == "wss://fal.run/a/b/realtime?fal_jwt_token=x.y%3D%26z&max_buffering=60"
    assert realtime_url(FAL, endpoint, max_buffering=1).endswith("/realtime?max_buffering=1")


@pytest.mark.parametrize("value", [0, 61, -1, True, 2.5, "5"])
def test_buffering_out_of_range_is_told_in_a_sentence(value: object) -> None:
    with pytest.raises(InvalidBuffering, match="from 1 to 60"):
        realtime_url(FAL, EndpointId.parse("a/b"), max_buffering=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path",
    [
        "/../x", "..", "/a/../b", "/a/./b", "wss://evil.example/", "//evil.example", "/a//b",
        "/a?fal_jwt_token=x", "/a#b", "/a b", "/a%2e%2e", "/a\\b", "/a\r\nHost: x", "/ä",
        "/a@b", "/" + "a" * 101, "/a" * 7, "/a\u2028", "/\u0430",
    ],
)  # fmt: skip
def test_a_path_that_could_lead_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidRealtimePath, match="looks like /realtime"):
        realtime_url(FAL, EndpointId.parse("a/b"), path=path)


@pytest.mark.parametrize(
    "path", ["/requests/abc", "requests/abc/cancel", "/live/status", "/CANCEL"]
)
def test_a_path_that_leads_to_a_request_is_refused(path: str) -> None:
    with pytest.raises(InvalidRealtimePath, match="no path of a session"):
        realtime_url(FAL, EndpointId.parse("a/b"), path=path)
