"""What is taken as a channel's address, and what of it is shown."""

from __future__ import annotations

import pytest

from requests_app.notices.addresses import BadAddress, parse

HOOK = "T1JJ3T3L2/B1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
BOT = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawx"
GOOD = [
    ("email", "a@example.org", "a@example.org", "a@example.org"),
    ("email", "a@example.org; b@example.org", "a@example.org, b@example.org", "a@example.org, b@example.org"),
    ("slack", f"https://hooks.slack.com/services/{HOOK}", f"slack://{HOOK}", "hooks.slack.com …i7FQ"),
    ("slack", f"slack://{HOOK}/", f"slack://{HOOK}", "hooks.slack.com …7FQ/"),
    ("discord", f"https://discord.com/api/webhooks/12345678/{'a' * 30}", f"discord://12345678/{'a' * 30}", "discord.com …aaaa"),
    ("telegram", f"{BOT} -100123", f"tgram://{BOT}/-100123", "Telegram, chat -100123"),
    ("webhook", "https://example.org/s3cret?k=v", "https://example.org/s3cret?k=v", "https://example.org/…"),
]  # fmt: skip
BAD = [
    ("email", ""),
    ("email", "not a mail"),
    ("email", ",".join(f"a{n}@example.org" for n in range(11))),
    ("email", "a@example.org\nBcc: b@example.org"),
    ("slack", "https://hooks.slack.com.evil.org/services/" + HOOK),
    ("slack", f"slack://{HOOK}?template=/etc/passwd"),
    ("slack", f"https://hooks.slack.com/services/{HOOK}?x=1"),
    ("slack", "json://localhost/"),
    ("discord", "discord://1/2?template=/etc/passwd"),
    ("telegram", "tgram://bot"),
    ("webhook", "file:///etc/passwd"),
    ("webhook", "https://user:pass@example.org/"),
    ("webhook", "https:///nohost"),
    ("webhook", "https://exa mple.org/"),
    ("webhook", "https://example.org:99999/"),
    ("webhook", "https://example.org/\r\nX: y"),
]


@pytest.mark.parametrize(("kind", "typed", "secret", "shown"), GOOD)
def test_an_address_is_read_and_its_secret_part_is_not_shown(
    kind: str, typed: str, secret: str, shown: str
) -> None:
    assert parse(kind, f" {typed} ") == (secret, shown)


def test_what_is_no_address_of_its_kind_is_refused_in_words() -> None:
    for kind, typed in BAD:
        with pytest.raises(BadAddress, match=r"Give|is no mail address"):
            parse(kind, typed)
