import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

MODES = [("queue", "Queue"), ("run", "Run"), ("stream", "Stream"), ("realtime", "Realtime")]


def give_ids(apps, schema_editor):
    """The saved messages of realtime sessions become presets: each needs an id of its own."""
    for preset in apps.get_model("requests_app", "Preset").objects.only("pk").iterator():
        preset.public_id = uuid.uuid4()
        preset.save(update_fields=["public_id"])


def forget_inputs(apps, schema_editor):
    """The earlier version keeps messages alone."""
    apps.get_model("requests_app", "Preset").objects.filter(use="input").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("requests_app", "0016_time_preference"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel("MessageTemplate", "Preset"),
        migrations.RemoveConstraint("Preset", "one_template_of_a_name"),
        migrations.AlterModelOptions("Preset", {"ordering": ["name", "id"]}),
        migrations.AddField(
            "Preset", "public_id", models.UUIDField(default=uuid.uuid4, editable=False, null=True)
        ),
        migrations.AddField(
            "Preset",
            "use",
            models.CharField(
                choices=[("input", "Input"), ("message", "Message")], default="message", max_length=7
            ),
        ),
        migrations.AddField(
            "Preset", "mode", models.CharField(choices=MODES, default="queue", max_length=8)
        ),
        migrations.AddField("Preset", "options", models.JSONField(default=dict)),
        migrations.AddField("Preset", "version", models.PositiveIntegerField(default=1)),
        migrations.AlterField(
            "Preset", "saved_at", models.DateTimeField(default=django.utils.timezone.now)
        ),
        migrations.AlterField(
            "Preset",
            "team",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="presets",
                to="requests_app.team",
            ),
        ),
        migrations.RunPython(give_ids, forget_inputs),
    ]
