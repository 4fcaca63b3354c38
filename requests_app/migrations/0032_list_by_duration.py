from django.db import migrations, models
from django.db.models import F, Q

from requests_app.models.duration import Took


class Migration(migrations.Migration):

    dependencies = [("requests_app", "0031_gateway_source")]

    operations = [
        migrations.AddIndex(
            model_name="falrequest",
            index=models.Index(
                F("team"),
                Took(),
                F("id"),
                name="list_by_duration",
                condition=Q(ended_at__isnull=False),
            ),
        ),
    ]
