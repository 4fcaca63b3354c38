"""Cells of the list: what each can be found by, and the optional ones in the order of the table's columns."""

from __future__ import annotations

from django import template
from django.template.base import Node, NodeList, Parser, Token, Variable
from django.template.context import Context

from requests_app.models import FalRequest
from requests_app.search import Term

register = template.Library()


@register.filter
def find(value: object, key: str) -> str:
    """Return the search for a cell's value; empty where there is none, or no search can hold it."""
    text = str(value or "")
    return "" if not text or '"' in text else str(Term(key, text))


@register.simple_tag
def finds(row: FalRequest) -> list[tuple[str, str, str]]:
    """Return what a request can be found by in the list: word, value, search."""
    facts = (
        ("Endpoint", row.endpoint_id, row.endpoint_id, "endpoint"),
        ("Status", row.get_status_display(), row.status, "status"),
        ("By", row.person.get_username(), row.person.get_username(), "by"),
        ("Source", row.get_origin_display(), row.origin, "source"),
        ("fal key", row.fal_key.name if row.fal_key else "", row.fal_key and row.fal_key.name, "key"),
        ("Seed", row.seed, row.seed, "seed"),
        ("Error type", row.error_type, row.error_type, "error"),
    )  # fmt: skip
    return [
        (word, str(shown), term) for word, shown, value, key in facts if (term := find(value, key))
    ]


class CellsNode(Node):
    """Parts by the name of their column. Raises VariableDoesNotExist when the page names no columns."""

    def __init__(self, columns: Variable, parts: dict[str, NodeList]) -> None:
        self.columns = columns
        self.parts = parts

    def render(self, context: Context) -> str:
        return "".join(
            self.parts[one.name].render(context) for one in self.columns.resolve(context)
        )


@register.tag
def cells(parser: Parser, token: Token) -> CellsNode:
    """Draw cells in the order of columns; an include for each cell would take twice the time of a row.

    {% cells columns %}{% cell "id" %}<td>…</td>{% endcell %} … {% endcells %}
    """
    parts: dict[str, NodeList] = {}
    parser.parse(("cell", "endcells"))
    while (inner := parser.next_token()).contents != "endcells":
        name = inner.split_contents()[1].strip('"')
        parts[name] = parser.parse(("endcell",))
        parser.delete_first_token()
        parser.parse(("cell", "endcells"))
    return CellsNode(Variable(token.split_contents()[1]), parts)
