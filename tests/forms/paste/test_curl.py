"""curl commands, as shells and browsers write them."""

from __future__ import annotations

import pytest

from requests_app.forms.paste import Addresses, NotUnderstood, PastedCall, read

URL = "https://fal.run/acme/app"


def call(text: str) -> PastedCall:
    return read(text, Addresses())


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (f"curl {URL}", ""),
        (f"$ curl -sSL -XPOST {URL} -d '{{\"a\": 1}}'", '{"a": 1}'),
        (f"curl -X POST '{URL}' -H'Content-Type: application/json' --data-raw $'{{\"a\": \"it\\'s\"}}'",
         '{"a": "it\'s"}'),
        (f"curl {URL} --json '{{\"a\":1.50}}' | jq .", '{"a":1.50}'),
        (f"curl --url={URL} --data={{}}", "{}"),
        (f'curl {URL} -d "{{\\"a\\": \\"$FAL\\"}}"', '{"a": "$FAL"}'),
        (f"# a comment\ncurl {URL} -d '{{}}'\necho done", "{}"),
        (f"FAL_KEY=x curl {URL} -d '{{}}'", "{}"),
        (f"curl.exe ^\n  {URL} ^\n  -d '{{}}'", "{}"),
        (f"curl `\n  {URL} `\n  -d '{{}}'", "{}"),
        (f"curl {URL} -d '{{\"a\": \"one\\ntwo; three | four & five\"}}'",
         '{"a": "one\\ntwo; three | four & five"}'),
        (f"curl {URL} -d '{{\"a\":\n 1}}' -o out.json", '{"a":\n 1}'),
        (f"curl {URL} --data $'{{\"a\": \"\\u00e9\\x41\\\\n\"}}'", '{"a": "éA\\n"}'),
        (f"curl -H 'Authorization: Key x' -u user:secret -b 'c=1' {URL} -m 5 -d '{{}}'", "{}"),
    ],
)  # fmt: skip
def test_a_command_is_read_as_a_shell_reads_it(text: str, body: str) -> None:
    found = call(text)
    assert (found.endpoint_id, found.mode, found.input_text, found.notes) == (
        "acme/app",
        "run",
        body,
        (),
    )


@pytest.mark.parametrize(
    ("headers", "options", "notes"),
    [
        ("-H 'X-Fal-Store-IO: 0'", {"store_io": False}, 0),
        (
            "-H 'x-fal-no-retry: 1' -H 'X-Fal-Runner-Hint: a'",
            {"no_retry": True, "runner_hint": "a"},
            0,
        ),
        ("-H 'X-Mine: yes' -H 'X-Other: no'", {"headers": {"x-mine": "yes", "x-other": "no"}}, 0),
        ("-H 'User-Agent: x' -H 'sec-ch-ua: y' -H 'Origin: z' -H 'Accept: */*'", {}, 0),
        ("-H 'X-Api-Key: secret' -H 'X-My-Token: secret'", {}, 2),
        ("-H 'X-JWT: a' -H 'X-Session-Id: b' -H 'X-Signature: c' -H 'X-Bearer: d'", {}, 4),
        ("-H 'X-Fal-Queue-Priority: urgent'", {}, 1),
        ("-H 'X-Fal-Internal: 1'", {}, 1),
    ],
)
def test_platform_headers_become_options_and_secrets_go(
    headers: str, options: object, notes: int
) -> None:
    found = call(f"curl {URL} {headers} -d '{{}}'")
    assert found.options == options
    assert len(found.notes) == notes
    assert "secret" not in repr(found)


def test_a_file_and_form_fields_are_named() -> None:
    assert "in a file" in call(f"curl {URL} -d @body.json").notes[0]
    assert "form fields" in call(f"curl {URL} -F image=@x.png").notes[0]


def test_a_body_that_is_no_object_stays_as_it_was() -> None:
    found = call(f"curl {URL} -d 'a=1' -d 'b=2'")
    assert found.input_text == "a=1&b=2"
    assert "no JSON object" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("curl -X POST", "no address"),
        (f"curl {URL} -d '{{", "never closed"),
        ("curl https://example.com/x", "no address of an endpoint"),
        ("curl -d", "no address"),
    ],
)
def test_what_curl_could_not_send_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        call(text)


@pytest.mark.parametrize(
    "lead",
    ["# a line\n\n" * 2000, "\n" * 200_000, " " * 200_000, "A=b " * 50_000, "$ " * 100_000, "#" * 400_000],
    ids=["comments", "lines", "spaces", "variables", "prompts", "a comment"],
)  # fmt: skip
def test_no_text_takes_long_to_be_seen_as_none(lead: str) -> None:
    """Ends at all: a pattern for the whole beginning took exponential time, with the interpreter's lock."""
    with pytest.raises(NotUnderstood):
        call(f"{lead}\nwget x")
