from __future__ import annotations

from typing import Any

from django.db import migrations, models


class SetDefault(migrations.AlterField):
    """On SQLite the model alone changes: it would copy the whole table, and there one process migrates and writes."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    """Columns of the migrations before, so that a process of an older version can still insert rows."""

    dependencies = [("requests_app", "0023_batch_idempotency")]

    operations = [
        SetDefault("batch", "body_digest", models.CharField(blank=True, db_default="", default="", max_length=64)),
        SetDefault("batch", "idempotency_key", models.CharField(blank=True, db_default="", default="", max_length=255)),
        SetDefault("falrequest", "billable_units", models.CharField(blank=True, db_default="", default="", max_length=40)),
        SetDefault("falrequest", "input_digest", models.CharField(blank=True, db_default="", default="", max_length=64)),
        SetDefault(
            "team", "duplicate_minutes", models.PositiveIntegerField(blank=True, db_default=10, default=10, null=True)
        ),
    ]
