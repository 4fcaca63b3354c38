from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("requests_app", "0033_tags")]

    operations = [
        migrations.AddField(
            model_name="timepreference",
            name="single_keys",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
