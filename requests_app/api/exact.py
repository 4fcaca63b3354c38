"""Put JSON texts into a response unchanged: digits, escapes and spelling as sent and received."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.http import HttpRequest
from ninja.renderers import JSONRenderer


class JsonText(str):
    """A valid JSON text, to be written into a response unchanged."""

    __slots__ = ()


class ExactRenderer(JSONRenderer):
    """Ninja's renderer, which writes every JsonText as the JSON it is."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        """Return the response's text.

        Python's encoder cannot write raw text, so a placeholder is replaced at the end. It is
        random for each response, so nothing stored can contain it.
        """
        texts: list[str] = []
        mark = secrets.token_hex(16)

        def marked(value: Any) -> Any:
            if isinstance(value, JsonText):
                texts.append(value)
                return f"{mark}{len(texts) - 1}."
            if isinstance(value, dict):
                return {name: marked(item) for name, item in value.items()}
            return [marked(item) for item in value] if isinstance(value, list) else value

        written = json.dumps(marked(data), cls=self.encoder_class, **self.json_dumps_params)
        for number, text in enumerate(texts):
            written = written.replace(f'"{mark}{number}."', text, 1)
        return written
