"""The pure modules of the pages, in the browser they run in, against what the server itself would say."""

from __future__ import annotations

import ast
import inspect
import json
import shlex
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import fal_client
import pytest
from playwright.sync_api import Page

from requests_app.fal.endpoints import EndpointId, Hosts, run_url, stream_url, submit_url
from requests_app.fal.headers import build_headers, build_query
from requests_app.fal.options import OPTIONS as ALL_OPTIONS
from tests.browser.conftest import SITE

pytestmark = pytest.mark.browser

HOSTS = Hosts.fal()
TABLE = [option.for_page() for option in ALL_OPTIONS]
URLS = {"runUrl": HOSTS.run, "queueUrl": HOSTS.queue, "table": TABLE}
# Quotes of every shell and language, escapes, a joined and a lone surrogate, long numbers, JSON's three words.
TRICKY = r"""{
  "prompt": "it's \"quoted\" $HOME `x` \\ \u00e9 \ud83d\ude00 \/ true null ${x} \n",
  "seed": 12345678901234567890123, "ratio": 1.0e5,
  "on": true, "off": false, "none": null, "list": [1, {"a": "日本"}]
}"""
OPTIONS = [
    {},
    {"priority": "low"},
    {"start_timeout": 30},
    {"start_timeout": 0.5},
    {"start_timeout": 2.5},
    {"no_retry": True, "store_io": False},
    {"runner_hint": "warm-1"},
    {"no_retry": False, "disable_fallback": True, "tags": "a=b,c=it's"},
    {"object_lifecycle_preference": '{"expiration_duration_seconds": 60}', "retry_config": "{}"},
    {"headers": {"x-fal-tags": "a=b,c=it's", "X-Own": '{"a": "b"}'}},
    {"headers": {"X-Fal-No-Retry": "yes", "x-fal-request-timeout": "2.50", "x-fal-store-io": "0"}},
    {"headers": {"x-fal-request-timeout": "9", "x-fal-request-start-timeout": "4"}},
    {"headers": {"x-fal-queue-priority": "LOW", "x-fal-disable-fallback": "1"}},
    {"priority": "low", "start_timeout": 7, "runner_hint": "h", "headers": {"x-own": "1"}},
    {"max_queue_length": 0, "tags": "a=b"},
]


def call(page: Page, module: str, name: str, *words: Any) -> Any:
    """What the module's function returns."""
    script = f"async (words) => (await import('{SITE}/{module}.js')).{name}(...words)"
    return page.evaluate(script, list(words))


def asked(mode: str = "queue", options: dict[str, Any] | None = None, text: str = TRICKY) -> Any:
    return {"endpoint": "fal-ai/flux/dev", "mode": mode, "input": text, "options": options or {}}


# --- what will be sent ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
def test_the_address_shown_is_the_one_the_server_uses(page, mode):
    endpoint = EndpointId.parse("fal-ai/flux/dev")
    ours = {"queue": submit_url, "run": run_url, "stream": stream_url}[mode](HOSTS, endpoint)
    assert call(page, "lib/samples", "wireOf", asked(mode), URLS)["url"] == ours


def test_a_stream_path_is_not_doubled(page):
    wire = call(page, "lib/samples", "wireOf", {**asked("stream"), "endpoint": "a/b/stream"}, URLS)
    assert wire["url"] == stream_url(HOSTS, EndpointId.parse("a/b/stream"))


@pytest.mark.parametrize("options", OPTIONS)
def test_the_headers_shown_are_those_the_server_builds(page, options):
    shown = dict(call(page, "lib/samples", "platformHeaders", options, TABLE))
    assert shown == build_headers(options)


@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_python_code_is_accepted_by_fals_own_client_and_says_the_same(page, mode, options):
    code = call(page, "lib/samples", "pythonOf", asked(mode, options), URLS)
    calls: list[dict[str, Any]] = []

    def recording(name: str) -> Any:
        signature = inspect.signature(getattr(fal_client.SyncClient, name))

        def record(*words: Any, **named: Any) -> Any:
            signature.bind(None, *words, **named)
            calls.append({"name": name, "endpoint": words[0], **named})
            return []

        return record

    stub = SimpleNamespace(**{name: recording(name) for name in ("subscribe", "run", "stream")})
    body = code.replace("import fal_client  # reads FAL_KEY from the environment\n", "")
    exec(compile(ast.parse(body), "sample", "exec"), {"fal_client": stub, "print": lambda *_: None})
    [made] = calls
    assert made["name"] == {"queue": "subscribe", "run": "run", "stream": "stream"}[mode]
    assert made["endpoint"] == "fal-ai/flux/dev"
    assert made["arguments"] == json.loads(TRICKY)
    assert all(pair in code for pair in missing_of(mode, options))
    assert sent_by_python(made) == build_headers(options)


def missing_of(mode: str, options: dict[str, Any]) -> list[str]:
    """What fal's clients cannot say, which the code has to tell in a comment."""
    query = build_query(options) if mode == "queue" else {}
    return [f"{name}={text}" for name, text in query.items()]


def sent_by_python(made: dict[str, Any]) -> dict[str, str]:
    """The headers that the call's named arguments stand for."""
    named = {
        "priority": made.get("priority"),
        "start_timeout": made.get("start_timeout"),
        "runner_hint": made.get("hint"),
    }
    return {**build_headers(named), **made.get("headers", {})}


@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_javascript_code_runs_and_says_the_same(page, mode, options):
    code = call(page, "lib/samples", "javascriptOf", asked(mode, options), URLS)
    head = 'import { fal } from "@fal-ai/client"; // reads FAL_KEY from the environment\n'
    assert code.startswith(head)
    made = page.evaluate(
        """async (body) => {
          const calls = [];
          const record = (name) => async (endpoint, options) => (calls.push({ name, endpoint, ...options }), []);
          const fal = {
            run: record("run"), subscribe: record("subscribe"), stream: record("stream"),
            config: ({ requestMiddleware }) => (fal.middleware = requestMiddleware),
          };
          await new Function("fal", "console", `return (async () => {${body}})()`)(fal, { log() {} });
          const request = fal.middleware ? await fal.middleware({ headers: {} }) : { headers: {} };
          return { ...calls[0], fromMiddleware: request.headers, count: calls.length };
        }""",
        code.removeprefix(head),
    )
    named = {
        "priority": made.get("priority"),
        "start_timeout": made.get("startTimeout"),
        "runner_hint": made.get("hint"),
    }
    sent = {**build_headers(named), **made.get("headers", {}), **made["fromMiddleware"]}
    assert made["count"] == 1
    assert made["endpoint"] == "fal-ai/flux/dev"
    assert made["input"]["prompt"] == json.loads(TRICKY)["prompt"]
    assert sent == build_headers(options)


@pytest.mark.parametrize("options", OPTIONS)
def test_the_curl_line_means_the_same_to_a_shell(page, options):
    words = shlex.split(call(page, "lib/samples", "curlOf", asked("queue", options), URLS))
    query = urlencode(build_query(options))
    address = "https://queue.fal.run/fal-ai/flux/dev" + (f"?{query}" if query else "")
    assert words[:4] == ["curl", "-X", "POST", address]
    headers = [words[n + 1] for n, word in enumerate(words) if word == "-H"]
    assert headers[:2] == ["Authorization: Key $FAL_KEY", "Content-Type: application/json"]
    assert dict(line.split(": ", 1) for line in headers[2:]) == build_headers(options)
    assert words[-2:] == ["--data-raw", TRICKY]


def test_no_input_is_sent_as_an_empty_object(page):
    assert call(page, "lib/samples", "wireOf", asked(text="  "), URLS)["body"] == "{}"


# --- JSON as it is typed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": tru}', 1, 7),
        ('{"a":1,}', 1, 8),
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3),
        ('{"a"', 1, 5),
        ('{"a":[1,2}', 1, 10),
        ("{'a':1}", 1, 2),
        ('{"a":01}', 1, 6),
        ("{} x", 1, 4),
        ("[1]", 1, 1),
        ('{"a":"x\ny"}', 1, 8),
    ],
)
def test_the_place_where_json_breaks_off_is_found(page, text, line, column):
    problem = call(page, "lib/jsontext", "problemOf", text)
    assert (problem["line"], problem["column"]) == (line, column)


@pytest.mark.parametrize("text", ["", " \n", "{}", TRICKY, '{"a":[],"b":{"c":[{}]}}'])
def test_an_object_has_no_problem(page, text):
    assert call(page, "lib/jsontext", "problemOf", text) is None


def test_the_server_names_the_same_place(page):
    from requests_app.request_input import InvalidInput, parse_input

    text = '{\n  "a": 1,\n  "b": tru\n}'
    with pytest.raises(InvalidInput) as said:
        parse_input(text)
    place = call(page, "lib/jsontext", "placeOf", str(said.value))
    ours = call(page, "lib/jsontext", "problemOf", text)
    assert place == {"line": ours["line"], "column": ours["column"]}
    assert call(
        page, "lib/jsontext", "offsetOf", text, place["line"], place["column"]
    ) == text.index("tru")


def test_a_tree_keeps_the_digits_of_long_numbers_and_makes_no_markup(page):
    shown = page.evaluate(
        """async (text) => {
          const pre = document.createElement("pre");
          pre.dataset.jsonTree = "";
          pre.textContent = text;
          document.body.append(pre);
          (await import("/lib/jsontree.js")).growTrees();
          const tree = document.querySelector(".json-tree");
          return { text: tree.textContent, images: tree.querySelectorAll("img").length, hidden: pre.hidden };
        }""",
        '{"seed": 12345678901234567890123, "x": 7.50, "x": 1E2, "<img src=x onerror=alert(1)>": "<img src=x>"}',
    )
    assert "12345678901234567890123" in shown["text"]
    assert "x: 7.50" in shown["text"]
    assert "x: 1E2" in shown["text"]
    assert "<img src=x>" in shown["text"]
    assert (shown["images"], shown["hidden"]) == (0, True)


def test_a_wide_and_deep_value_is_built_as_it_is_opened(page):
    count = page.evaluate(
        """async () => {
          const { treeOf } = await import("/lib/jsontree.js");
          const { parse } = await import("/lib/jsontext.js");
          let deep = 1;
          for (let n = 0; n < 30; n += 1) deep = [deep];
          const wide = { wide: Array.from({ length: 50000 }, (_, n) => ({ n })), deep };
          return treeOf(parse(JSON.stringify(wide))).querySelectorAll("*").length;
        }"""
    )
    assert count < 500


# --- frames ---------------------------------------------------------------------------------------


def test_a_pointer_leads_to_every_picture_and_sound_in_a_message(page):
    value = {
        "a/b": {"~c": {"$bytes_size": 9000, "media": "image/png"}},
        "2": [{"$bytes": "iVBORw0KGgoAAA", "size": 10}],
        "voice": {"$bytes_size": 9000, "media": "audio/wav"},
        "page": {"$bytes_size": 9000, "media": "text/html"},
        "few": {"$bytes": "PGh0bWw+", "size": 6},
    }
    found = call(page, "record/frametext", "mediaIn", value)
    assert {one["pointer"]: one["type"] for one in found} == {
        "/a~1b/~0c": "image/png",
        "/2/0": "image/png",
        "/voice": "audio/wav",
    }


def test_bytes_are_shown_sixteen_a_line(page):
    shown = page.evaluate(
        "async () => (await import('/record/frametext.js')).hexOf(Uint8Array.from({length: 18}, (_, n) => n + 56))"
    )
    first, second = shown.split("\n")
    assert first == f"000000  {bytes(range(56, 72)).hex(' ')}  89:;<=>?@ABCDEFG"
    assert second == f"000010  48 49{' ' * 42}  HI"


@pytest.mark.parametrize(
    ("frame", "tone", "line"),
    [
        ({"data": '{"error": "boom"}', "says": "error"}, "error", '{"error": "boom"}'),
        ({"data": '{"error": "boom"}', "says": "output"}, "", '{"error": "boom"}'),
        ({"data": '{"error": "boom"}', "says": "error", "direction": "out"}, "", '{"error": "boom"}'),
        ({"data": "boom", "event": "error", "says": "error"}, "error", "error: boom"),
        ({"data": None, "event": "Error", "says": "error"}, "error", "Error: large: open it to load it"),
        ({"data": "[DONE]", "says": "nothing"}, "quiet", "[DONE]"),
        ({"data": '{"progress": 1}', "says": "note"}, "quiet", '{"progress": 1}'),
        ({"data": '{"out', "says": "part"}, "part", 'only a part came: {"out'),
        ({"data": '{"status": 1}', "kind": "json", "says": "note"}, "", '{"status": 1}'),
        ({"data": '{"error": "x"}', "kind": "json", "says": "error"}, "error", '{"error": "x"}'),
        ({"data": "two\nlines", "event": "tick"}, "", "tick: two"),
        ({"data": None}, "", "large: open it to load it"),
        ({"data": '"data:image/png;base64,AAAA"'}, "", '"data:image…"'),
        ({"data": '{"type":"x-fal-error","error":"TIMEOUT","reason":"idle"}', "kind": "control"},
         "calm", "x-fal-error TIMEOUT: idle"),
        ({"data": '{"type":"x-fal-error","error":"X","reason":1}', "kind": "control"},
         "error", "x-fal-error X"),
        ({"data": '{"status":"error","error":"Unauthorized"}', "kind": "control"},
         "error", "status error Unauthorized"),
    ],
)  # fmt: skip
def test_a_line_says_what_a_frame_is(page, frame, tone, line):
    usual = {"number": 1, "kind": "event", "event": "", "size": 1, "offset_ms": 0}
    shown = call(page, "record/frametext", "light", usual | frame)
    assert (shown["tone"], shown["line"]) == (tone, line)


@pytest.mark.parametrize(
    ("ms", "offset", "span"),
    [
        (0, "+0 ms", "0 ms"),
        (9.5, "+10 ms", "9.5 ms"),
        (450, "+450 ms", "450 ms"),
        (999.7, "+1.000 s", "1.0 s"),
        (1655, "+1.655 s", "1.7 s"),
        (12_340, "+12.3 s", "12 s"),
        (750_000, "+12 m 30 s", "12 m 30 s"),
    ],
)
def test_times_have_one_form(page, ms, offset, span):
    assert call(page, "record/frametext", "offsetOf", ms) == offset
    assert call(page, "record/frametext", "spanOf", ms) == span
