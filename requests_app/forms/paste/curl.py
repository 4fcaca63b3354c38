"""A curl command: address, headers and body, as a shell and curl read them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from requests_app.fal.exactjson import Members, parse_exact
from requests_app.fal.jsontext import NotJson
from requests_app.forms.paste.addresses import Addresses
from requests_app.forms.paste.call import ESCAPED, NotUnderstood, Options, PastedCall

# A prompt, variables for the command, its name.
_START = re.compile(r"[ \t]*(?:[$>%][ \t]+)?(?:[A-Z_]+=\S*[ \t]+)*curl(?:\.exe)?\s")
_CONTINUED = re.compile(r"[\\^`][ \t]*\n")
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ANSI_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{1,4}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {**ESCAPED, "a": "\a", "e": "\x1b"}
_ENDS = re.compile(r"[|;&<>()]+")

_BODY = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_FORM = frozenset({"-F", "--form", "--data-urlencode", "-T", "--upload-file", "--form-string"})
_VALUED = frozenset(
    {
        "-X", "--request", "-H", "--header", "--url", "-u", "--user", "-A", "--user-agent", "-b", "--cookie",
        "-e", "--referer", "-o", "--output", "-m", "--max-time", "--connect-timeout", "--retry", "-x", "--proxy",
        "-w", "--write-out", "-K", "--config", "-c", "--cookie-jar", "-r", "--range", "--cacert", "--cert", "-E",
        "--key", "-D", "--dump-header", "--resolve", "--retry-delay", "--retry-max-time", "--limit-rate",
        "--oauth2-bearer", "--interface", "--max-redirs", "-C", "-y", "-Y", "-z", "-t", "-Q", "-P", "--ciphers",
    }
    | _BODY | _FORM
)  # fmt: skip


@dataclass
class _Command:
    url: str = ""
    headers: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def is_curl(text: str) -> bool:
    """Whether the text begins with a curl command, behind prompts and comments."""
    return _start(text) is not None


def _start(text: str) -> re.Match[str] | None:
    """Match the command's beginning. Line by line: one pattern for all of it takes exponential time."""
    at = 0
    for line in text.splitlines(keepends=True):
        if (words := line.strip()) and not words.startswith("#"):
            break
        at += len(line)
    return _START.match(text, at)


def read_curl(text: str, addresses: Addresses) -> PastedCall:
    """Return the call of the first command. Raises NotUnderstood."""
    start = _start(text)
    command = _command(_words(text[start.end() :] if start else text))
    if not command.url:
        raise NotUnderstood("The curl command has no address.")
    call, options = addresses.read(command.url), Options()
    for header in command.headers:
        name, colon, value = header.partition(":")
        if colon:
            options.header(name, value)
    body = "&".join(command.body)
    notes = [*command.notes, *options.notes, *_problems_of(body)]
    return replace(call, input_text=body.strip(), options={**call.options, **options.found}).noting(
        notes
    )


def _words(text: str) -> list[str]:
    """Split as a POSIX shell does, up to the end of the first command."""
    text = _ANSI.sub(lambda match: shlex.quote(_unescaped(match[1])), _CONTINUED.sub(" ", text))
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|;&<>()\n")
    lexer.whitespace_split, lexer.commenters, lexer.whitespace = True, "", " \t"
    words: list[str] = []
    try:
        for word in lexer:
            if _ENDS.fullmatch(word) or word.strip("\n") == "":
                break
            words.append(word)
    except ValueError:
        raise NotUnderstood("A quotation mark in the curl command is never closed.") from None
    return words


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "ux" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code[0] in "01234567":
            return chr(int(code, 8))
        return _ESCAPED.get(code, code)

    text = _ANSI_ESCAPE.sub(one, text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _command(words: list[str]) -> _Command:
    found = _Command()
    for name, value in _arguments(words):
        if name in ("-H", "--header"):
            found.headers.append(value)
        elif name in _BODY:
            _take_body(found, name, value)
        elif name in _FORM:
            found.notes.append("The form fields of the curl command were left out: fal takes JSON.")
        elif name in ("", "--url") and not found.url:
            found.url = value
    return found


def _take_body(found: _Command, name: str, value: str) -> None:
    if value.startswith("@") and name != "--data-raw":
        found.notes.append("The input is in a file, which is not in the text: paste it below.")
    else:
        found.body.append(value)


def _arguments(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield options with their values; an address has no name."""
    left = iter(words)
    for word in left:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word.partition("=")
            is_valued = name in _VALUED
            yield name, (value if equals else next(left, "")) if is_valued else ""
        elif word.startswith("-") and len(word) > 1:
            yield from _cluster(word, left)
        else:
            yield "", word


def _cluster(word: str, left: Iterator[str]) -> Iterator[tuple[str, str]]:
    """-sSL -XPOST -H'…': letters, of which the first with a value takes the rest."""
    for at, letter in enumerate(word[1:], start=2):
        name = f"-{letter}"
        if name in _VALUED:
            yield name, word[at:] or next(left, "")
            return
        yield name, ""


def _problems_of(body: str) -> list[str]:
    if not body:
        return []
    try:
        if isinstance(parse_exact(body), Members):
            return []
    except NotJson:
        pass
    return ["The body of the curl command is no JSON object: it stands in the input as it was."]
