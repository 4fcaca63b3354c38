import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("requests_app", "0056_factor_acts")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="team",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="requests_app.team",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["team", "-id"], name="team_deliveries"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["team", "verdict", "-id"], name="team_deliveries_by_verdict"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["team", "-id"],
                name="deliveries_without_team",
                condition=models.Q(("team__isnull", True)),
            ),
        ),
    ]
