"""Pasted calls: addresses, curl, Python, JavaScript; exact digits, no keys, a sentence for the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.forms.paste import MOST, Addresses, NotUnderstood, form_values, read

HERE = Addresses(run="http://127.0.0.1:8900/run", queue="http://127.0.0.1:8900/queue")
FLUX = "fal-ai/flux/dev"
KEY = "11112222-3333-4444-5555-666677778888:0123456789abcdef0123456789abcdef"


def call(text: str) -> Any:
    return read(text, HERE)


def target(text: str) -> tuple[str, str]:
    found = call(text)
    return found.endpoint_id, found.mode


def refusal(text: str) -> str:
    with pytest.raises(NotUnderstood) as refused:
        call(text)
    return str(refused.value)


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "endpoint", "mode"),
    [
        ("https://queue.fal.run/fal-ai/flux/dev", FLUX, "queue"),
        ("https://queue.fal.run/fal-ai/flux/dev/", FLUX, "queue"),
        ("  https://fal.run/fal-ai/flux/dev \n", FLUX, "run"),
        ("http://FAL.run/fal-ai/flux/dev", FLUX, "run"),
        ("https://fal.run/fal-ai/flux/dev/stream", FLUX, "stream"),
        ("https://queue.fal.run/fal-ai/flux/dev/stream", "fal-ai/flux/dev/stream", "queue"),
        ('"https://fal.run/acme/app"', "acme/app", "run"),
        ("<https://fal.run/acme/app>", "acme/app", "run"),
        ("fal.run/acme/app", "acme/app", "run"),
        ("queue.fal.run/acme/app", "acme/app", "queue"),
        ("https://fal.ai/models/fal-ai/flux/dev", FLUX, "queue"),
        ("https://www.fal.ai/models/fal-ai/flux/dev/", FLUX, "queue"),
        ("fal.ai/models/fal-ai/flux/dev", FLUX, "queue"),
        ("https://fal.ai/models/fal-ai/flux/dev/playground?share=abc", FLUX, "queue"),
        ("https://fal.ai/models/fal-ai/flux/dev/api?platform=python#schema", FLUX, "queue"),
        ("https://fal.ai/models/fal-ai/flux/dev/llms.txt", FLUX, "queue"),
        ("https://fal.ai/models/fal-ai/flux/dev/requests/0af", FLUX, "queue"),
        ("https://fal.ai/models/bria/fibo-edit/edit", "bria/fibo-edit/edit", "queue"),
        ("https://fal.ai/models/acme/api", "acme/api", "queue"),
        ("https://fal.ai/api/openapi/queue/openapi.json?endpoint_id=fal-ai%2Fflux%2Fdev", FLUX, "queue"),
        ("https://queue.fal.run/workflows/acme/flow", "workflows/acme/flow", "queue"),
        ("http://127.0.0.1:8900/queue/sandbox/image", "sandbox/image", "queue"),
        ("http://127.0.0.1:8900/run/sandbox/text/stream", "sandbox/text", "stream"),
        ("fal-ai/flux/dev", FLUX, "queue"),
    ],
)  # fmt: skip
def test_an_address_gives_endpoint_and_mode(text: str, endpoint: str, mode: str) -> None:
    assert target(text) == (endpoint, mode)
    assert call(text).input_text == ""


def test_the_address_of_a_request_gives_its_endpoint_and_says_so() -> None:
    found = call("https://queue.fal.run/fal-ai/flux/requests/76-ab/status?logs=1")
    assert found.endpoint_id == "fal-ai/flux"
    assert "only its endpoint was taken" in found.notes[0]


def test_parameters_of_a_submit_become_options_and_a_webhook_does_not() -> None:
    found = call(
        "https://queue.fal.run/acme/app?fal_max_queue_length=7&fal_webhook=https%3A%2F%2Fx.example"
    )
    assert found.options == {"max_queue_length": 7}
    assert found.notes == ("The webhook address was left out: Faldeck has its own.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Nothing was pasted"),
        ("   \n", "Nothing was pasted"),
        ("https://example.com/acme/app", "no address of an endpoint"),
        ("https://fal.run.evil.example/acme/app", "no address of an endpoint"),
        ("https://fal.ai/dashboard/keys", "no address of an endpoint"),
        ("https://fal.ai/models", "no address of an endpoint"),
        ("https://fal.run/", "no address of an endpoint"),
        ("https://[::1/acme", "no address of an endpoint"),
        ("https://fal.run:x/acme/app", "no address of an endpoint"),
        ("http://127.0.0.1:8901/queue/acme/app", "no address of an endpoint"),
        ("wss://fal.run/acme/app/realtime", "realtime session"),
        ("https://fal.run/acme/app/realtime", "realtime session"),
        ("word", "no address of an endpoint"),
        ("acme/\u0430pp", "CYRILLIC"),
        ("[1, 2]", "no object"),
        ("x " * MOST, "longer than 500,000"),
        ("just some words of mine", "No call to fal was found"),
        ("print('hello')", "No call to fal was found"),
        ("const x = 1; console.log(x)", "No call to fal was found"),
        ('other.subscribe("topic", {})', "No call to fal was found"),
    ],
)
def test_what_is_no_call_is_a_sentence(text: str, sentence: str) -> None:
    assert sentence in refusal(text)


def test_an_input_alone_is_taken_as_it_is() -> None:
    found = call('{"prompt": "x", "scale": 7.50}')
    assert (found.endpoint_id, found.input_text) == ("", '{"prompt": "x", "scale": 7.50}')
    assert "choose its endpoint" in found.notes[0]


# --- the same call in each language ---------------------------------------------------------------

CURL = f"""
curl --request POST \\
  --url https://queue.fal.run/fal-ai/flux/dev \\
  --header "Authorization: Key {KEY}" \\
  --header "Content-Type: application/json" \\
  -H 'X-Fal-Queue-Priority: low' \\
  --data '{{
     "prompt": "it'"'"'s a \\"sunset\\" \\u00e9",
     "seed": 12345678901234567890, "scale": 7.50, "tiny": 1E-7, "on": true, "off": false, "no": null,
     "size": {{"width": 512}}, "list": [1, -2, "x"]
   }}'
"""
PYTHON = f'''
import fal_client, os
os.environ["FAL_KEY"] = "{KEY}"

def on_queue_update(update):
    print(update)

result = fal_client.subscribe(
    "fal-ai/flux/dev",
    arguments={{
        "prompt": 'it\\'s a "sunset" \\u00e9',
        "seed": 12345678901234567890, "scale": 7.50, "tiny": 1E-7, "on": True, "off": False, "no": None,
        "size": {{"width": 512}}, "list": [1, -2, "x"],
    }},
    priority="low",
    with_logs=True,
    on_queue_update=on_queue_update,
)
print(result)
'''
JAVASCRIPT = f"""
import {{ fal }} from "@fal-ai/client";
fal.config({{ credentials: "{KEY}" }});

const result = await fal.subscribe("fal-ai/flux/dev", {{
  input: {{
    prompt: 'it\\'s a "sunset" \\u00e9', // a comment
    seed: 12345678901234567890, scale: 7.50, "tiny": 1E-7, on: true, off: false, no: null,
    size: {{ width: 512 }}, list: [1, -2, "x",],
  }},
  priority: "low",
  logs: true,
  onQueueUpdate: (update) => {{
    if (update.status === "IN_PROGRESS") update.logs.map((log) => log.message).forEach(console.log);
  }},
}});
console.log(result.data);
"""
FETCH = f"""
const body = {{ prompt: `it's a "sunset" é`, seed: 12345678901234567890n, scale: 7.50, tiny: 1E-7,
  on: true, off: false, no: null, gone: undefined, size: {{ width: 512 }}, list: [1, -2, "x"] }};
fetch("https://queue.fal.run/fal-ai/flux/dev", {{
  method: "POST",
  headers: {{ Authorization: "Key {KEY}", "Content-Type": "application/json", "X-Fal-Queue-Priority": "low" }},
  body: JSON.stringify(body),
}}).then((reply) => reply.json());
"""
REQUESTS = f"""
import requests
URL = "https://queue.fal.run/fal-ai/flux/dev"
headers = {{"Authorization": "Key {KEY}", "X-Fal-Queue-Priority": "low"}}
payload = {{"prompt": 'it\\'s a "sunset" \\xe9', "seed": 12345678901234567890, "scale": 7.50, "tiny": 1E-7,
           "on": True, "off": False, "no": None, "size": {{"width": 512}}, "list": [1, -2, "x"]}}
reply = requests.post(URL, json=payload, headers=headers, timeout=30)
"""
INPUT = {
    "prompt": 'it\'s a "sunset" é', "seed": "12345678901234567890", "scale": "7.50", "tiny": "1e-7", "on": True,
    "off": False, "no": None, "size": {"width": "512"}, "list": ["1", "-2", "x"],
}  # fmt: skip


@pytest.mark.parametrize("text", [CURL, PYTHON, JAVASCRIPT, FETCH, REQUESTS])
def test_a_call_in_any_language_gives_all_it_says_digit_for_digit(text: str) -> None:
    found = call(text)
    assert (found.endpoint_id, found.mode) == (FLUX, "queue")
    assert json.loads(found.input_text, parse_int=str, parse_float=str.lower) == INPUT
    assert found.options == {"priority": "low"}
    assert found.notes == ()


@pytest.mark.parametrize("text", [CURL, PYTHON, JAVASCRIPT, FETCH, REQUESTS])
def test_no_part_of_a_key_is_left(text: str) -> None:
    found = call(text)
    everything = repr(found) + repr(form_values(found))
    assert KEY[:8] not in everything
    assert KEY[-32:] not in everything


def test_the_values_of_the_form_have_what_was_said_alone() -> None:
    assert form_values(call("https://fal.run/acme/app")) == {
        "endpoint_id": "acme/app",
        "mode": "run",
    }
    values = form_values(call(CURL))
    assert values["priority"] == "low"
    assert values["input"].startswith("{")


# --- notes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        'fal_client.submit("acme/app", arguments={"a": 1, "b": open(path).read()})',
        'fal.queue.submit("acme/app", {input: {a: 1, b: file.url}})',
    ],
)
def test_what_a_program_computes_is_left_out_and_named(text: str) -> None:
    found = call(text)
    assert json.loads(found.input_text) == {"a": 1}
    assert found.notes == ("b was left out: it is computed by the program.",)


@pytest.mark.parametrize(
    "text",
    [
        'fal_client.run("acme/one", arguments={})\nfal_client.run("acme/two", arguments={})',
        'fal.run("acme/one", {input: {}}); fal.run("acme/two", {input: {}})',
    ],
)
def test_of_several_calls_the_first_is_taken_and_said(text: str) -> None:
    found = call(text)
    assert (found.endpoint_id, found.mode) == ("acme/one", "run")
    assert "2 calls" in found.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        'fal_client.subscribe("acme/app", {}, webhook_url="https://x.example/?token=abc", colour="red")',
        'fal.queue.submit("acme/app", {input: {}, webhookUrl: "https://x.example/?token=abc", colour: "red"})',
    ],
)
def test_webhooks_and_unknown_arguments_are_left_out_and_said(text: str) -> None:
    notes = call(text).notes
    assert notes == (
        "The webhook address was left out: Faldeck has its own.",
        "The argument colour was left out: the form has none like it.",
    )


def test_a_wrong_option_is_left_out_and_said() -> None:
    found = call('fal_client.submit("acme/app", {}, priority="urgent", start_timeout=5)')
    assert found.options == {"start_timeout": 5.0}
    assert "Priority was left out" in found.notes[0]
