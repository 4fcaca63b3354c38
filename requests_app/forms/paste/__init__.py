"""Read a call to fal that was pasted: an address, curl, Python, JavaScript, or JSON alone. Pure.

Endpoint, mode, input and options become the values of the form. What is not understood is a sentence,
and sentences quote no value, for a pasted text may hold keys. Keys are dropped.
"""

from __future__ import annotations

from typing import Any

from requests_app.fal.exactjson import Members, parse_exact
from requests_app.fal.jsontext import NotJson
from requests_app.forms.option_fields import initial_of
from requests_app.forms.paste.addresses import Addresses
from requests_app.forms.paste.call import NotUnderstood, PastedCall
from requests_app.forms.paste.curl import is_curl, read_curl
from requests_app.forms.paste.javascript import read_javascript
from requests_app.forms.paste.python import read_python

__all__ = ["MOST", "Addresses", "NotUnderstood", "PastedCall", "form_values", "read"]

MOST = 500_000  # characters
NOTHING_FOUND = (
    "No call to fal was found in it. Paste a fal address, a playground link, a curl command, or a "
    "Python or JavaScript snippet that calls fal."
)


def read(text: str, addresses: Addresses) -> PastedCall:
    """Return the call. Raises NotUnderstood."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise NotUnderstood("Nothing was pasted.")
    if len(text) > MOST:
        raise NotUnderstood(f"The text is longer than {MOST:,} characters.")
    if len(text.split()) == 1 and not text.startswith(("{", "[")) and "(" not in text:
        return addresses.read(text.strip("\"'<>`,;"))
    if is_curl(text):
        return read_curl(text, addresses)
    if (alone := _input_alone(text)) is not None:
        return alone
    return _read_code(text, addresses)


def _input_alone(text: str) -> PastedCall | None:
    try:
        is_object = isinstance(parse_exact(text), Members)
    except NotJson:
        return None
    if not is_object:
        raise NotUnderstood("This JSON is no object, so it is no input of an endpoint.")
    return PastedCall(input_text=text, notes=("Only an input was pasted: choose its endpoint.",))


def _read_code(text: str, addresses: Addresses) -> PastedCall:
    """Try Python, then JavaScript; a text that is neither is told by the language it looks like."""
    problem = None
    try:
        if (call := read_python(text, addresses)) is not None:
            return call
    except SyntaxError as error:
        problem = error
    if (call := read_javascript(text, addresses)) is not None:
        return call
    if problem is not None and ("import fal_client" in text or "fal_client." in text):
        raise NotUnderstood(f"The Python cannot be read from line {problem.lineno} on.")
    raise NotUnderstood(NOTHING_FOUND)


def form_values(call: PastedCall) -> dict[str, Any]:
    """Return the values of the form for a new request."""
    values = {
        "endpoint_id": call.endpoint_id,
        "mode": call.mode,
        "input": call.input_text,
        **initial_of(call.options),
    }
    return {name: value for name, value in values.items() if value not in (None, "")}
