"""Many events as one picture of the output so far: `request/merge.js` in the browser it runs in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def merged(page: Page, events: list[Any], mode: str = "auto") -> dict[str, Any]:
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return page.evaluate(
        """async ([texts, mode]) => {
          const { Merged } = await import("/request/merge.js");
          const all = new Merged(mode, ["https://*.fal.media", "not a host"]);
          for (const text of texts) all.add(text);
          return { text: all.text, images: all.images, way: all.way };
        }""",
        [texts, mode],
    )


@pytest.mark.parametrize(
    ("events", "text", "way"),
    [
        ([{"output": "a"}, {"output": "a b"}, {"output": "a b c"}], "a b c", "cumulative"),
        ([{"output": "a"}, {"output": " b"}, {"output": " c"}], "a b c", "delta"),
        ([{"output": "a", "partial": True}, {"output": "a"}], "a", "cumulative"),
        ([{"delta": "ha"}, {"delta": "ha"}, {"delta": "ha"}], "hahaha", "delta"),
        ([{"choices": [{"delta": {"content": "x"}}]}, {"choices": [{"delta": {}}]}], "x", "delta"),
        ([{"choices": [{"message": {"content": "whole"}}]}], "whole", "cumulative"),
        (["plain ", "words"], "plain words", "delta"),
        (["plain ", "words", " [DONE]\n"], "plain words", "delta"),
        ([{"output": "a"}, {"output": "a b"}, "[DONE]"], "a b", "cumulative"),
        ([{"progress": 1}, {"text": "a"}, {"progress": 2}, {"text": "ab"}], "ab", "cumulative"),
        (["In ", "2024", " it ", "true"], "In 2024 it true", "delta"),
        ([{"text": "a"}, {"error": "boom", "message": "sorry"}], "a", None),
        ([{"text": "a"}, {"type": "error", "message": "sorry"}], "a", None),
        ([{"text": "a", "error": 0.5}, {"text": "a b", "error": 0.2}], "a b", "cumulative"),
        ([{"output": "a\u2028b\x00\U0001f600"}, {"output": "\ud800"}], "a\u2028b\x00\U0001f600\ud800", "delta"),
        ([{"output": "data:image/png;base64,AAAA"}], "", None),
        ([{"text": "x" * 30}, {"text": "y" * 30}, {"text": "x" * 30 + "y" * 30}],
         "x" * 30 + "y" * 30, "delta"),
    ],
)  # fmt: skip
def test_text_grows_in_the_way_the_events_tell(page, events, text, way):
    said = merged(page, events)
    assert (said["text"], said["way"]) == (text, way)


@pytest.mark.parametrize(
    "events",
    [
        [{"output": "a"}, {"output": "a b"}, {"progress": 1}, {"output": "a b c"}],
        [{"output": "a"}, {"output": " b"}, {"output": " c"}],
        [{"choices": [{"message": {"content": text}}]} for text in ("one", "two", "two three", "")],
        [{"text": "x" * 30}, {"text": "y" * 30}, {"text": "x" * 30 + "y" * 30}, {"text": "!"}],
        [
            {"image": "https://v3.fal.media/a.png"},
            {"n": 1},
            {"image": "https://v3.fal.media/b.png"},
        ],
    ],
)
def test_a_moment_of_the_past_is_what_was_to_be_seen_then(page, events):
    texts = [json.dumps(event) for event in events]
    then, now = page.evaluate(
        """async (texts) => {
          const { Merged } = await import("/request/merge.js");
          const { picturesIn } = await import("/lib/media.js");
          const sources = ["https://*.fal.media"];
          const [all, live] = [new Merged("auto", sources), []];
          for (const text of texts) {
            all.add(text);
            live.push([all.text, all.images]);
          }
          const past = texts.map((_, index) => {
            const { text, pictures } = all.at(index + 1);
            return [text, pictures < 0 ? [] : picturesIn(JSON.parse(texts[pictures]), sources)];
          });
          return [past, live];
        }""",
        texts,
    )
    assert then == now


def test_a_persons_choice_beats_what_the_events_tell(page):
    events = [{"output": "a"}, {"output": "a b"}]
    assert merged(page, events, "delta")["text"] == "aa b"
    assert merged(page, [{"delta": "a"}, {"delta": "b"}], "cumulative")["text"] == "b"


def test_the_last_picture_replaces_those_before_it(page):
    def event(name: str) -> dict[str, Any]:
        return {
            "images": [{"url": f"https://v3.fal.media/{name}.png", "content_type": "image/png"}]
        }

    evil = {"image": {"url": "https://evil.example/a.png"}}
    said = merged(page, [event("a"), event("b"), evil, {"progress": 1}])
    assert said["images"] == ["https://v3.fal.media/b.png"]


@pytest.mark.parametrize(
    "event", ["data:image/png;base64,AAAA", ["data:image/png;base64,AAAA"],
              {"image": "data:image/png;base64,AAAA"}, {"url": "data:image/png;base64,AAAA"}]
)  # fmt: skip
def test_inline_pictures_are_found_once_wherever_they_stand(page, event):
    assert merged(page, [event])["images"] == ["data:image/png;base64,AAAA"]
