"""Secrets are masked wherever a piece ends, and nothing else is changed."""

from __future__ import annotations

import random

import pytest

from requests_app.runfile.stripping import LONGEST, Stripper

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
KEY = "team:canary7f3a9c-of-the-team"
SECRETS = {
    f"https://x.example/hooks/fal/{UUID}/s3cr3t-of-the-hook": "s3cr3t-of-the-hook",
    f"?fal_webhook=https%3A%2F%2Fx%2Fhooks%2Ffal%2F{UUID}%2Fs3cr3t-of-the-hook": "s3cr3t-of-the-hook",
    '{"Authorization": "Bearer tok.en-1"}': "tok.en-1",
    r"{\"authorization\": \"Key abc:def\"}": "abc:def",
    "Authorization: Basic dXNlcjpwdw==": "dXNlcjpwdw==",
    "token fdk_0123456789abcdef": "0123456789abcdef",
    '{"webhook_url": "https://me.example/in?token=t0k3n&b=2"}': "t0k3n",
    f"{UUID}:{'ab' * 16}": "ab" * 16,
    f"a key {KEY} inside": "canary7f3a9c",
    f"a key {KEY.replace(':', '%3A')} escaped": "canary7f3a9c",
    "its half canary7f3a9c-of-the-team alone": "canary7f3a9c",
}


def stripper() -> Stripper:
    return Stripper([KEY, KEY.partition(":")[2]])


@pytest.mark.parametrize("text", list(SECRETS))
def test_a_secret_becomes_as_many_asterisks(text: str) -> None:
    strip = stripper()
    left = strip.strip(text.encode())
    assert SECRETS[text].encode() not in left
    assert len(left) == len(text)
    assert strip.count


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": "a bearer of good news, Key West: the token of love"}',
        '{"url": "https://v3.fal.media/files/a.png?Signature=abc&token=1"}',
        f'{{"id": "{UUID}"}}',
        "hooks/fal/nothing",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    strip = stripper()
    assert strip.strip(text.encode()) == text.encode()
    assert strip.count == 0


def test_no_secret_is_missed_however_the_bytes_are_parted() -> None:
    chance = random.Random(7)
    for _ in range(20):
        parts = [chance.choice(list(SECRETS)) for _ in range(30)]
        text = "\n".join(f"{one}\n{'x' * chance.randrange(2 * LONGEST)}" for one in parts).encode()
        cuts = sorted(chance.randrange(len(text)) for _ in range(chance.randrange(200)))
        ends = zip([0, *cuts], [*cuts, len(text)], strict=True)
        left = b"".join(stripper().strip_each(text[first:last] for first, last in ends))
        assert len(left) == len(text)
        assert left == stripper()._masked(text)
        assert not [one for one in SECRETS.values() if one.encode() in left]
