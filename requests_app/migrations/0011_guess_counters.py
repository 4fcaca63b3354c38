from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("requests_app", "0010_one_user_in_any_case")]

    operations = [
        migrations.CreateModel(
            name="GuessCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=8)),
                ("slot", models.PositiveIntegerField()),
                ("guesses", models.JSONField(default=list)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "slot"), name="one_guess_counter")],
            },
        ),
    ]
