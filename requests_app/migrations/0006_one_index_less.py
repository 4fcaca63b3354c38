"""Drop the indexes of the request alone, beside which stands one that begins with the request.

By name: altering the fields would make SQLite copy the tables, which may be large.
"""

from __future__ import annotations

from django.db import migrations, models

INDEXES = {
    "delivery": ("deliveries", "029acec8"),
    "frame": ("frames", "5b81d2a4"),
    "logline": ("log_lines", "01f794bf"),
    "outputpart": ("output_parts", "83cc8be5"),
}


def dropped(model: str, digest: str) -> migrations.RunSQL:
    table = f"requests_app_{model}"
    name = f"{table}_request_id_{digest}"
    return migrations.RunSQL(
        f'DROP INDEX IF EXISTS "{name}"', f'CREATE INDEX "{name}" ON "{table}" ("request_id")'
    )


def unindexed(model: str, related_name: str) -> migrations.AlterField:
    field = models.ForeignKey(
        "requests_app.falrequest",
        on_delete=models.CASCADE,
        db_index=False,
        related_name=related_name,
    )
    return migrations.AlterField(model, "request", field)


class Migration(migrations.Migration):
    dependencies = [("requests_app", "0005_list_source")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[dropped(model, digest) for model, (_, digest) in INDEXES.items()],
            state_operations=[unindexed(model, related) for model, (related, _) in INDEXES.items()],
        )
    ]
