"""The full-text index, and where the background begins to fill it for the rows there are.

Processes of the version before write no entries: what they write is indexed by `manage.py rebuild_search`.
"""

import django.db.models.deletion
from django.db import migrations, models

import requests_app.models.search

TABLE = "requests_app_searchentry"
# Every sign that an entry's words are made of belongs to a word; letters are folded before.
FTS5 = f"CREATE VIRTUAL TABLE {TABLE} USING fts5(words, tokenize = \"ascii tokenchars '#=.:-_|'\")"
POSTGRESQL = (
    f"CREATE TABLE {TABLE} (rowid bigint PRIMARY KEY"
    " REFERENCES requests_app_falrequest (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,"
    " words tsvector NOT NULL)",
    # The planner chooses between the index of words and the newest rows by how common a word is.
    f"ALTER TABLE {TABLE} ALTER COLUMN words SET STATISTICS 1000",
    # A search reads what waits to be sorted in from one end to the other: so keep it small.
    f"CREATE INDEX search_words ON {TABLE} USING gin (words) WITH (gin_pending_list_limit = 256)",
)


def create(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in POSTGRESQL if is_postgresql else (FTS5,):
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE {TABLE}")


def begin(apps, schema_editor):
    rows = apps.get_model("requests_app", "FalRequest").objects.order_by("-pk")
    newest = rows.values_list("pk", flat=True).first()
    if newest:
        history = apps.get_model("requests_app", "SearchHistory")
        history.objects.create(top=newest, below=newest + 1)


class Migration(migrations.Migration):

    dependencies = [
        ("requests_app", "0028_thumbnail"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchHistory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("top", models.BigIntegerField()),
                ("below", models.BigIntegerField()),
            ],
        ),
        migrations.AddIndex(
            model_name="falrequest",
            index=models.Index(fields=["team", "created_at"], name="list_by_time"),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(create, drop)],
            state_operations=[
                migrations.CreateModel(
                    name="SearchEntry",
                    fields=[
                        ("request", models.OneToOneField(db_column="rowid", db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="search_entry", serialize=False, to="requests_app.falrequest")),
                        ("words", requests_app.models.search.WordsField()),
                    ],
                ),
            ],
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
