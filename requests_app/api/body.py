"""Parse a request body: strict JSON, by the same rules as the form's input."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from requests_app.fal.jsontext import parse_members
from requests_app.request_input import (
    MAX_INPUT_BYTES,
    InvalidInput,
    TooMuchInput,
    parse_input,
    strict_json_body,
)


class TooMuch(ValueError):
    """The body is over a limit, which the sentence names."""

    def __init__(self, sentence: str, *, in_bytes: bool) -> None:
        super().__init__(sentence)
        self.in_bytes = in_bytes


class UnreadableBody(ValueError):
    """The body is not acceptable JSON; the sentence says why and, if known, where."""


class StrictParser(Parser):
    """JSON in UTF-8, whatever the content type: no NaN, no duplicate key, bounded nesting."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the parsed body. Raises UnreadableBody or TooMuch."""
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnreadableBody("A compressed body is not taken; send it as it is.")
        try:
            return parse_input(request.body.decode("utf-8-sig"), decode=strict_json_body)
        except UnicodeDecodeError:
            raise UnreadableBody("The body is not UTF-8 text.") from None
        except TooMuchInput as error:
            in_bytes = len(request.body) > MAX_INPUT_BYTES
            raise TooMuch(str(error).replace("The input", "The body"), in_bytes=in_bytes) from None
        except InvalidInput as error:
            raise UnreadableBody(str(error).replace("The input", "The body")) from None


def member_text(request: HttpRequest, name: str) -> str:
    """Return the JSON text of a member, letter for letter, of a body that was parsed before."""
    return parse_members(request.body)[name].raw.decode()


def digest_of(values: dict[str, Any]) -> str:
    """Return the same hash for equal bodies, whatever the order of their members."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
