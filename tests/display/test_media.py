"""What of an output may become a picture, a player or a link."""

from __future__ import annotations

import json

import pytest

from requests_app.display.media import MAX_DEPTH, MAX_MEDIA, find_media
from requests_app.fal.exactjson import parse_exact
from tests.display.test_media_hosts import CASES

HOSTS = ["https://fal.media", "https://*.fal.media", "http://127.0.0.1:8900"]
PNG = "data:image/png;base64,iVBORw0KGgo="


def kinds(value: object) -> list[tuple[str, str]]:
    return [(medium.kind, medium.path) for medium in find_media(value, HOSTS)]


@pytest.mark.parametrize("case", CASES["outputs"], ids=json.dumps)
def test_it_finds_what_the_table_says(case):
    found = find_media(case["value"], CASES["sources"])
    assert [[medium.kind, medium.path] for medium in found] == case["media"]


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


def test_media_are_found_in_what_is_read_exactly():
    text = (
        '{"images": [{"url": "https://fal.media/a.png", "width": 64, "height": 1E2}], "n": 7.50,'
        ' "image": {"url": "https://evil.example/x"}, "image": {"url": "https://fal.media/b.jpg"}}'
    )
    first, second = find_media(parse_exact(text), HOSTS)
    assert (first.path, first.width, first.height) == ("images[0]", 64, None)
    assert (second.path, second.url) == ("image", "https://fal.media/b.jpg")
