from __future__ import annotations

import pytest

from requests_app.fal.endpoints import (
    EndpointId,
    Hosts,
    InvalidEndpointId,
    InvalidHost,
    is_trusted,
    stream_url,
    trusted_urls,
    urls_for,
)

RID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
HOSTS = Hosts.fal()
FLUX = EndpointId.parse("fal-ai/flux/dev")


@pytest.mark.parametrize(
    ("text", "parts", "app"),
    [
        ("fal-ai/flux", (None, "fal-ai", "flux", ""), "fal-ai/flux"),
        ("fal-ai/flux/dev", (None, "fal-ai", "flux", "dev"), "fal-ai/flux"),
        ("a/b/c/d_1.5", (None, "a", "b", "c/d_1.5"), "a/b"),
        ("workflows/me/mine/run", ("workflows", "me", "mine", "run"), "workflows/me/mine"),
        ("comfy/me/mine", ("comfy", "me", "mine", ""), "comfy/me/mine"),
        (" fal-ai/flux ", (None, "fal-ai", "flux", ""), "fal-ai/flux"),
    ],
)
def test_an_id_is_read_into_its_parts(text: str, parts: tuple[str, ...], app: str) -> None:
    endpoint = EndpointId.parse(text)
    assert (endpoint.namespace, endpoint.owner, endpoint.alias, endpoint.path) == parts
    assert endpoint.app == app
    assert str(endpoint) == text.strip()


def test_the_old_single_segment_form_becomes_owner_and_alias() -> None:
    assert str(EndpointId.parse("1234-my-app")) == "1234/my-app"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flux",
        "my-app",
        "fal-ai/",
        "/fal-ai/flux",
        "fal-ai//flux",
        "//evil/x",
        "fal-ai/../tokens",
        "fal-ai/./x",
        "@evil.com/x",
        ":8443/x",
        "x/y?fal_webhook=https://evil",
        "x/y#",
        "x/%2e%2e/z",
        "x/y/..",
        "x/y/%2f",
        "x/y//",
        "x/y/",
        "x/.hidden",
        "x/y;z",
        "x/y z",
        "x/y|z",
        "x/y@z",
        "x/y#z",
        "user:pw@x/y",
        "x/~y",
        "x/y,z",
        "x\\..\\y",
        "x/y\r\nHost: z",
        "x/ÿ",
        "x/y ",
        "x/y\n/z",
        "workflows/me",
        "comfy",
        "a/" + "b" * 101,
        "/".join("abcdefghi"),
        "https://fal.ai/models/fal-ai/flux",
        "fal-ai/flux\u2028",
    ],
)
def test_what_is_no_id_is_refused_with_a_sentence(text: str) -> None:
    if text == "x/y ":  # white space around an id is a slip of the mouse
        assert str(EndpointId.parse(text)) == "x/y"
        return
    with pytest.raises(InvalidEndpointId) as caught:
        EndpointId.parse(text)
    assert (
        "fal-ai/flux" in str(caught.value)
        or "parts" in str(caught.value)
        or "both" in str(caught.value)
    )


# Behind an app and its path, and behind an old app of one part.
OF_FAL = [
    "requests/abc", "requests/abc/cancel", "requests/abc/status", "requests/abc/status/stream",
    "requests/abc/response", "requests/", "requests", "Requests/abc", "REQUESTS/abc/CANCEL",
    "cancel", "status", "status/stream", "response", "result", "Status",
]  # fmt: skip


@pytest.mark.parametrize("words", OF_FAL)
@pytest.mark.parametrize("app", ["acme/x", "acme/x/dev", "workflows/me/mine", "comfy/me/mine/a"])
def test_an_address_of_a_request_is_no_endpoint_id(app: str, words: str) -> None:
    with pytest.raises(InvalidEndpointId, match="fal-ai/flux"):
        EndpointId.parse(f"{app}/{words}")


def test_an_address_behind_an_old_app_of_one_part_is_none_either() -> None:
    with pytest.raises(InvalidEndpointId, match="requests"):
        EndpointId.parse("1234-my-app/requests/abc/cancel")


@pytest.mark.parametrize(
    "text",
    [
        "fal-ai/flux-lora/stream", "fal-ai/personaplex/realtime", "fal-ai/flux-2/klein/realtime",
        "rundiffusion-fal/run", "acme/status", "acme/cancel", "acme/result/v2", "acme/x/requests-2",
        "status/x", "acme/x/my-status", "acme/x/stream/y", "acme/queue", "acme/x/responses",
    ],
)  # fmt: skip
def test_words_that_name_an_app_or_a_part_of_its_path_pass(text: str) -> None:
    assert str(EndpointId.parse(text)) == text


UNSEEN = [
    "\u2028", "\u2029", "\u00a0", "\u3000", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad",
    "\x00", "\x07", "\x1b", "\x7f", "\x85", "\n", "\t", "\udc80",
    "\u0430", "\u0131", "\u212a", "\u2010", "\u2215", "\u2044", "\uff0f", "\uff0e", "\u0661", "\u00e9", "e\u0301",
]  # fmt: skip


@pytest.mark.parametrize("sign", UNSEEN)
@pytest.mark.parametrize("where", ["acme/i{}mg", "ac{}me/img", "acme/img/{}dev", "acme/x/de{}v"])
def test_what_is_not_ascii_is_refused_and_named(where: str, sign: str) -> None:
    with pytest.raises(InvalidEndpointId, match=r"Character \d+ .*U\+[0-9A-F]{4}"):
        EndpointId.parse(where.format(sign))


@pytest.mark.parametrize("sign", [sign for sign in UNSEEN if sign not in "\n\t"])
def test_what_is_not_ascii_is_refused_at_either_end_too(sign: str) -> None:
    for text in (f"acme/img{sign}", f"{sign}acme/img"):
        with pytest.raises(InvalidEndpointId, match=r"U\+"):
            EndpointId.parse(text)


def test_status_result_and_cancel_are_built_without_the_sub_path() -> None:
    built = urls_for(HOSTS, FLUX, RID)
    assert built.status == f"https://queue.fal.run/fal-ai/flux/requests/{RID}/status"
    assert built.result == f"https://queue.fal.run/fal-ai/flux/requests/{RID}"
    assert built.cancel == f"https://queue.fal.run/fal-ai/flux/requests/{RID}/cancel"


@pytest.mark.parametrize("request_id", ["", "..", "../x", "a/b", "a?b", "a b", "x" * 129, "é"])
def test_no_url_is_built_from_an_odd_request_id(request_id: str) -> None:
    with pytest.raises(ValueError, match="request id"):
        urls_for(HOSTS, FLUX, request_id)


def test_returned_urls_are_used_verbatim_when_they_are_ours() -> None:
    reply = {
        "status_url": f"https://queue.fal.run/fal-ai/flux/dev/requests/{RID}/status",
        "response_url": f"https://queue.fal.run/fal-ai/flux/dev/requests/{RID}/response",
        "cancel_url": f"https://queue.fal.run/fal-ai/flux/dev/requests/{RID}/cancel",
    }
    urls = trusted_urls(HOSTS, FLUX, RID, reply)
    assert [urls.status, urls.result, urls.cancel] == list(reply.values())


FOREIGN = [
    f"http://queue.fal.run/x/y/requests/{RID}",
    f"https://queue.fal.run:8443/x/y/requests/{RID}",
    f"https://queue.fal.run.evil.com/x/y/requests/{RID}",
    f"https://queue.fal.run@evil.com/x/y/requests/{RID}",
    f"https://user:pw@queue.fal.run/x/y/requests/{RID}",
    f"https://queue。fal。run/x/y/requests/{RID}",
    f"https://queue.fal.run\t.evil.com/x/y/requests/{RID}",
    f"https://queue.fal.run\\@evil.com/x/y/requests/{RID}",
    f"https://queue.fal.run/x/../../tokens/{RID}",
    f"https://queue.fal.run/x/%2e%2e/{RID}",
    f"https://queue.fal.run/x/requests/{RID}/..",
    f"https://queue.fal.run//x/requests/{RID}",
    "https://queue.fal.run/x/y/requests/another-id/status",
    f"https://queue.fal.run/x/y/status?id={RID}",
    f"https://queue.fal.run/x/y/status#/{RID}",
    f"http://127.0.0.1:6379/{RID}",
    f"//queue.fal.run/{RID}",
    f"file:///{RID}",
    "",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_a_returned_url_that_leads_elsewhere_is_rebuilt(url: str) -> None:
    urls = trusted_urls(HOSTS, FLUX, RID, {"status_url": url, "cancel_url": 7})
    assert urls == urls_for(HOSTS, FLUX, RID)


def test_the_path_prefix_of_a_configured_host_counts() -> None:
    hosts = Hosts(
        run="http://localhost:8700/run",
        queue="http://localhost:8700/queue/",
        realtime="ws://localhost:8700",
        rest="http://localhost:8700",
        api="http://localhost:8700",
        jwks="http://localhost:8700/jwks",
    )
    assert (
        urls_for(hosts, FLUX, RID).result
        == f"http://localhost:8700/queue/fal-ai/flux/requests/{RID}"
    )
    assert is_trusted(hosts, RID, f"http://localhost:8700/queue/x/requests/{RID}/")
    assert not is_trusted(hosts, RID, f"http://localhost:8700/queueing/x/requests/{RID}")
    assert not is_trusted(hosts, RID, f"http://localhost:8700/run/x/requests/{RID}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b", "https://fal.run/a/b/stream"),
        ("a/b/stream", "https://fal.run/a/b/stream"),
        ("a/b/stream/c", "https://fal.run/a/b/stream/c/stream"),
        ("a/upstream", "https://fal.run/a/upstream/stream"),
    ],
)
def test_the_stream_route_is_not_doubled(text: str, expected: str) -> None:
    assert stream_url(HOSTS, EndpointId.parse(text)) == expected


def test_another_stream_path_is_held_to_the_same_rules() -> None:
    assert stream_url(HOSTS, FLUX, "/live") == "https://fal.run/fal-ai/flux/dev/live"
    with pytest.raises(InvalidEndpointId):
        stream_url(HOSTS, FLUX, "/../../tokens")


@pytest.mark.parametrize(
    "changes",
    [
        {"queue": "queue.fal.run"},
        {"queue": "ftp://queue.fal.run"},
        {"queue": "https://"},
        {"run": "https://u:p@fal.run"},
        {"run": "https://fal.run?x=1"},
        {"realtime": "https://fal.run"},
        {"rest": "https://rest.fal.ai#x"},
        {"api": "api.fal.ai"},
    ],
)
def test_a_host_that_is_no_base_url_is_refused_by_name(changes: dict[str, str]) -> None:
    good = {
        name: getattr(HOSTS, name) for name in ("run", "queue", "realtime", "rest", "api", "jwks")
    }
    with pytest.raises(InvalidHost, match=next(iter(changes))):
        Hosts(**{**good, **changes})
