from django.db import migrations, models

import requests_app.models.session


def end_plain_sessions(apps, schema_editor):
    """Their keys were readable in the database and in backups: everybody logs in once more."""
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("requests_app", "0011_guess_counters"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("session_key", requests_app.models.session.HashedKeyField(max_length=64, primary_key=True, serialize=False)),
            ],
            options={"verbose_name": "session", "verbose_name_plural": "sessions", "abstract": False},
        ),
        migrations.RunPython(end_plain_sessions, migrations.RunPython.noop),
    ]
