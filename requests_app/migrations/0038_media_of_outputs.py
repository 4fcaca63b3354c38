from django.db import migrations, models
from django.db.models import Max, Q


def look_at_history(apps, schema_editor):
    """Have the background note the media of the requests there are, and index them with that."""
    request = apps.get_model("requests_app", "FalRequest")
    history = apps.get_model("requests_app", "SearchHistory")
    newest = request.objects.aggregate(newest=Max("pk"))["newest"]
    if newest:
        history.objects.all().delete()
        history.objects.create(top=newest, below=newest + 1)


class Migration(migrations.Migration):

    dependencies = [("requests_app", "0037_fal_keys")]

    operations = [
        migrations.AddField(
            model_name="falrequest",
            name="media_kinds",
            field=models.CharField(blank=True, max_length=24, null=True),
        ),
        migrations.AddField(
            model_name="falrequest",
            name="media",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="falrequest",
            index=models.Index(
                fields=["team", "-id"],
                name="list_with_media",
                condition=Q(media_kinds__isnull=False),
            ),
        ),
        migrations.RunPython(look_at_history, migrations.RunPython.noop, elidable=True),
    ]
