"""What of an output may become a picture, a player or a link."""

from __future__ import annotations

import pytest

from requests_app.display.media import MAX_DATA_URI, MAX_DEPTH, MAX_MEDIA, find_media, is_showable

HOSTS = ["https://fal.media", "https://*.fal.media", "http://127.0.0.1:8900"]
PNG = "data:image/png;base64,iVBORw0KGgo="


def kinds(value: object) -> list[tuple[str, str]]:
    return [(medium.kind, medium.path) for medium in find_media(value, HOSTS)]


@pytest.mark.parametrize(
    "url",
    [
        "https://fal.media/files/a/b.png",
        "https://v3.fal.media/files/a/b.png?x=1#t",
        "https://a.b.fal.media/x",
        "https://fal.media:443/x",
        "http://127.0.0.1:8900/cdn/files/x.png",
        PNG,
        "data:image/webp;base64,AAAA",
    ],
)
def test_it_shows_configured_hosts_and_small_inline_pictures(url):
    assert is_showable(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " java\tscript:alert(1)",
        "vbscript:x",
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:image/png,raw",
        "data:image/png;base64,AAAA\n",
        "http://fal.media/x",  # not https
        "//fal.media/x",
        "https://fal.media.evil.example/x",
        "https://evil.example/fal.media",
        "https://evilfal.media/x",
        "https://user@fal.media/x",
        "https://fal.media@evil.example/x",
        "https://fal.media\\@evil.example/x",
        "https://fal.media:8443/x",
        "https://fal.media:99999/x",
        "https://fal.media/\u2028x",
        "https://fal.media/ x",
        'https://fal.media/"onerror=x',
        "https://\uff46al.media/x",
        "http://127.0.0.1:8901/x",
        "http://127.0.0.1/x",
        "https://[::1/x",
        "",
    ],
)
def test_everything_else_stays_text(url):
    assert not is_showable(url, HOSTS)


def test_an_inline_picture_over_two_megabytes_stays_text():
    head = "data:image/png;base64,"
    assert is_showable(head + "A" * (MAX_DATA_URI - len(head)), HOSTS)
    assert not is_showable(head + "A" * (MAX_DATA_URI - len(head) + 1), HOSTS)


def test_a_wildcard_does_not_stand_for_its_own_parent():
    assert not is_showable("https://fal.media/x", ["https://*.fal.media"])


def test_it_finds_files_by_their_type_in_the_order_of_the_output():
    output = {
        "images": [
            {"url": "https://fal.media/a", "content_type": "image/png", "width": 8, "height": 6}
        ],
        "video": {"url": "https://fal.media/b", "content_type": "video/mp4; codecs=x"},
        "audio": {"url": "https://fal.media/c", "content_type": "audio/mp3"},
        "model": {"url": "https://fal.media/d.glb", "content_type": "model/gltf-binary"},
    }
    assert kinds(output) == [
        ("image", "images[0]"),
        ("video", "video"),
        ("audio", "audio"),
        ("file", "model"),
    ]
    assert (find_media(output, HOSTS)[0].width, find_media(output, HOSTS)[0].height) == (8, 6)


def test_a_picture_that_could_hold_a_script_is_a_file():
    svg = {"image": {"url": "https://fal.media/a.png", "content_type": "image/svg+xml"}}
    assert kinds(svg) == [("file", "image")]
    assert kinds(["https://fal.media/a.svg"]) == [("file", "[0]")]
    assert kinds({"image": "https://fal.media/page.html"}) == [("file", "image")]


def test_a_bare_address_is_judged_by_its_ending_then_by_its_place():
    assert kinds({"x": "https://fal.media/a.webm"}) == [("video", "x")]
    assert kinds({"image": "https://fal.media/noending"}) == [("image", "image")]
    assert kinds({"x": "https://fal.media/noending"}) == [("file", "x")]


def test_the_same_address_is_shown_once():
    assert len(find_media([{"url": PNG}, PNG, {"url": PNG}], HOSTS)) == 1


def test_odd_facts_about_a_file_are_passed_over():
    odd = {"url": "https://fal.media/a.png", "width": True, "height": -1, "file_size": "x"}
    [medium] = find_media(odd, HOSTS)
    assert (medium.width, medium.height, medium.size, medium.name) == (None, None, None, "a.png")
    assert find_media({"url": 7, "content_type": []}, HOSTS) == []


def test_it_stops_at_a_number_and_a_depth():
    many = [f"https://fal.media/{number}.png" for number in range(MAX_MEDIA + 50)]
    assert len(find_media(many, HOSTS)) == MAX_MEDIA
    deep: object = PNG
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    assert find_media(deep, HOSTS) == []
