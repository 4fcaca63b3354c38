"""Optional columns of the list's table. The template of a row has the cell of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableColumn:
    """A column that users can show, hide and move."""

    name: str
    word: str  # in the menu
    heading: str

    @property
    def classes(self) -> str:
        """Return the classes of its head and its cells; a table that shows it has `with-` and the name."""
        return f"row-{self.name} row-more"


# In the usual order, which is that of pushed rows.
COLUMNS = {
    column.name: column
    for column in (
        TableColumn("id", "Id", "Id"),
        TableColumn("request", "fal's request id", "Request id"),
        TableColumn("origin", "Source", "Source"),
        TableColumn("key", "fal key", "Key"),
        TableColumn("seed", "Seed", "Seed"),
        TableColumn("kind", "Error type", "Error type"),
        TableColumn("webhook", "Webhook", "Webhook"),
        TableColumn("size", "Output size", "Size"),
        TableColumn("units", "Units billed", "Units"),
        TableColumn("cost", "Cost", "Cost"),
    )
}


def in_order(first: tuple[str, ...] = ()) -> list[TableColumn]:
    """Return all columns: those of these names, then the rest in the usual order."""
    return [COLUMNS[name] for name in dict.fromkeys((*first, *COLUMNS))]
