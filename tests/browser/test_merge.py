"""Many events as one picture of the output so far: `request/merge.js` in the browser it runs in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from requests_app.fal import StreamEvent
from requests_app.rules.stream_outcome import StreamOutcome

pytestmark = pytest.mark.browser


def judged(events: list[Any]) -> list[tuple[str, str]]:
    """The text of each event, and what the server says of it; a pair is a named event."""
    pairs = [event if isinstance(event, tuple) else ("", event) for event in events]
    texts = [data if isinstance(data, str) else json.dumps(data) for _, data in pairs]
    outcome = StreamOutcome()
    said = outcome.take(
        [StreamEvent(name, text, None, 1) for (name, _), text in zip(pairs, texts, strict=True)]
    )
    return list(zip(texts, said, strict=True))


def merged(page: Page, events: list[Any], mode: str = "auto") -> dict[str, Any]:
    return page.evaluate(
        """async ([frames, mode]) => {
          const { Merged } = await import("/request/merge.js");
          const all = new Merged(mode, ["https://*.fal.media", "not a host"]);
          for (const [text, says] of frames) all.add(text, says);
          return { text: all.text, images: all.images, way: all.way, last: all.last };
        }""",
        [judged(events), mode],
    )


@pytest.mark.slow
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


WHOLE = "The quick brown fox jumps over the lazy dog and runs away"
PIECES = re.findall(r" ?\w+", WHOLE)
SO_FAR = ["".join(PIECES[: count + 1]) for count in range(len(PIECES))]
STORY = "Once upon a time there was a model that wrote a story"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("texts", "text"),
    [
        # A later text refutes what the first ones looked like.
        (["1", "10", " is the answer"], "110 is the answer"),
        (["1", "10", "100", " dollars"], "110100 dollars"),
        (["1", "12", "123", "1234", " go"], "1121231234 go"),
        (["2", "20", "24", " it is"], "22024 it is"),
        (["a", "an", " apple"], "aan apple"),
        (["the", "there", " we", " went"], "thethere we went"),
        (["ha", "ha"], "haha"),
        (["ha", "ha", "ha"], "hahaha"),
        (["ha", "ha", "ha!"], "hahaha!"),
        (["ha", "ha", "ha!", " he said"], "hahaha! he said"),
        (["no", "no", "not", " that"], "nonono" + "t that"),
        (["So", " ha", " ha", " hat"], "So ha ha hat"),
        (["-", "-", "-", ">"], "--->"),
        (["a", "\n", "\n", "text"], "a\n\ntext"),
        (["we are ", "done"], "we are done"),
        (["\U0001f468", "\U0001f468\u200d\U0001f469", " family"], "\U0001f468\U0001f468\u200d\U0001f469 family"),
        (["e", "\u0301", "t\u00e9"], "e\u0301t\u00e9"),
        (["\u4f60", "\u4f60\u597d", "\u5417"], "\u4f60\u4f60\u597d\u5417"),
        (["-" * 50 + "\n", "a\n", "-" * 50 + "\n", "-" * 50 + "\n"],
         "-" * 50 + "\na\n" + ("-" * 50 + "\n") * 2),
        # Pieces, and everything once more at the end.
        ([*PIECES, WHOLE], WHOLE),
        (["a", " b", "a b"], "a b"),
        ([*PIECES, WHOLE, WHOLE], WHOLE),
        # The whole text each time.
        (SO_FAR, WHOLE),
        ([*SO_FAR, WHOLE], WHOLE),
        ([text for text in SO_FAR for _ in range(2)], WHOLE),
        ([f"{text}\u258c" for text in SO_FAR] + [WHOLE], WHOLE),
        (["The caf\ufffd", "The caf\u00e9 is", "The caf\u00e9 is open", "The caf\u00e9 is open."],
         "The caf\u00e9 is open."),
        (["The cafe", "The caf\u00e9 is", "The caf\u00e9 is open", "The caf\u00e9 is open."],
         "The caf\u00e9 is open."),
        # A grown text is never taken for pieces: a corrected end replaces the old one, another text follows it.
        ([*SO_FAR, WHOLE[:-4] + "off"], WHOLE[:-4] + "off"),
        ([*SO_FAR, WHOLE[:-5]], WHOLE[:-5]),
        ([*SO_FAR, STORY], f"{WHOLE}\n\n{STORY}"),
        ([*SO_FAR, " The", " end."], WHOLE + " The end."),
        (["Thinking\u2026", *SO_FAR], "Thinking\u2026" + WHOLE),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["plain", "output", "output with partial"])
def test_no_word_is_lost_or_doubled_whatever_the_first_texts_looked_like(page, texts, text, form):
    events = [
        each
        if form == "plain"
        else {"output": each} | ({"partial": True} if "partial" in form else {})
        for each in texts
    ]
    assert merged(page, events)["text"] == text


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([{"token": {"text": "a"}, "generated_text": None}, {"token": {"text": "b"}, "generated_text": "ab"}], "ab"),
        ([{"type": "content_block_delta", "delta": {"type": "text_delta", "text": each}} for each in ("Hi", "Hi")],
         "HiHi"),
        ([{"type": "response.output_text.delta", "delta": "a"}, {"type": "response.output_text.delta", "delta": "b"},
          {"type": "response.output_text.done", "text": "ab"}], "ab"),
        ([{"text": "a"}, {"text": ""}, {"text": "ab"}], "ab"),
        ([{"output": "", "text": "a"}, {"output": "", "text": "ab"}], "ab"),
        ([{"output": "ab"}, ("done", "done"), ("ping", "1"), "", "END", {"type": "done"}, {"done": True}], "ab"),
        ([{"output": "ab"}, ("error", "boom"), {"error": "boom", "text": "x"}], "ab"),
        (["ab", ("error", "boom"), ("done", {})], "ab"),
        ([("log", "step 1"), {"type": "status", "message": "Loading"}, {"text": "a"}], "a"),
        (["data:image/png;base64,AAAA"], ""),
    ],
    ids=range(10),
)  # fmt: skip
def test_the_merged_text_is_that_of_the_events_that_are_the_output(page, events, text):
    assert merged(page, events)["text"] == text


def test_a_note_is_shown_while_there_is_no_output(page):
    assert merged(page, [{"progress": 1}, {"progress": 2}])["last"] == '{"progress": 2}'
    after = [{"progress": 1}, {"seed": 5}, {"progress": 2}, {"error": "boom"}, {}]
    assert merged(page, after)["last"] == '{"seed": 5}'


@pytest.mark.parametrize(
    "events",
    [
        [{"output": "a"}, {"output": "a b"}, {"progress": 1}, {"output": "a b c"}],
        [{"output": "a"}, {"output": " b"}, {"output": " c"}],
        [{"choices": [{"message": {"content": text}}]} for text in ("one", "two", "two three", "")],
        [{"text": "x" * 30}, {"text": "y" * 30}, {"text": "x" * 30 + "y" * 30}, {"text": "!"}],
        [{"text": text} for text in ("1", "10", " is the answer", "ha", "ha", "ha!")],
        [{"text": "a"}, {"error": "boom"}, {"text": "ab"}, {"type": "done"}],
        [
            {"image": "https://v3.fal.media/a.png"},
            {"n": 1},
            {"image": "https://v3.fal.media/b.png"},
        ],
    ],
)
def test_a_moment_of_the_past_is_what_was_to_be_seen_then(page, events):
    then, now = page.evaluate(
        """async (frames) => {
          const { Merged } = await import("/request/merge.js");
          const { picturesIn } = await import("/lib/media.js");
          const sources = ["https://*.fal.media"];
          const [all, live] = [new Merged("auto", sources), []];
          for (const [text, says] of frames) {
            all.add(text, says);
            live.push([all.text, all.images]);
          }
          const past = frames.map((_, index) => {
            const { text, pictures } = all.at(index + 1);
            return [text, pictures < 0 ? [] : picturesIn(JSON.parse(frames[pictures][0]), sources)];
          });
          return [past, live];
        }""",
        judged(events),
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
