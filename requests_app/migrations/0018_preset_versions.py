import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

MODES = [("queue", "Queue"), ("run", "Run"), ("stream", "Stream"), ("realtime", "Realtime")]


class Migration(migrations.Migration):
    """Apart from the migration that fills the ids: PostgreSQL alters no table with pending updates."""

    dependencies = [
        ("requests_app", "0017_presets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            "Preset",
            "public_id",
            models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
        migrations.AlterField(
            "Preset",
            "use",
            models.CharField(
                choices=[("input", "Input"), ("message", "Message")], default="input", max_length=7
            ),
        ),
        migrations.AddConstraint(
            "Preset",
            models.UniqueConstraint(
                fields=("team", "endpoint_id", "use", "name"), name="one_preset_of_a_name"
            ),
        ),
        migrations.CreateModel(
            name="PresetVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("text", models.TextField()),
                ("mode", models.CharField(choices=MODES, max_length=8)),
                ("options", models.JSONField(default=dict)),
                ("saved_at", models.DateTimeField()),
                ("preset", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="requests_app.preset")),
                ("saved_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [models.UniqueConstraint(fields=("preset", "number"), name="one_version_of_a_number")],
            },
        ),
    ]
