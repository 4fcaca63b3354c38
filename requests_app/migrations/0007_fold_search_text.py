"""Bring the search text of existing rows into the form in which it is asked for since this version."""

from __future__ import annotations

from typing import Any

from django.db import migrations, transaction

from requests_app.rules.folding import fold
from requests_app.rules.storable import storable_text

BATCH = 1000  # rows of one transaction: others write in between
LENGTH = 4000
UPDATE = "UPDATE requests_app_falrequest SET search_text = %s WHERE id = %s AND search_text = %s"


def _searchable(text):
    return fold(storable_text(text))[:LENGTH]


def fold_all(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("requests_app", "FalRequest").objects.order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last).values_list("pk", "search_text")[:BATCH]):
        last = batch[-1][0]
        folded = [(_searchable(text), pk, text) for pk, text in batch]
        # `AND search_text`: retention may have emptied the row since it was read.
        changed = [values for values in folded if values[0] != values[2]]
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.executemany(UPDATE, changed)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("requests_app", "0006_one_index_less")]
    operations = [migrations.RunPython(fold_all, migrations.RunPython.noop)]
