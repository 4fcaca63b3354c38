import logging

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import requests_app.models.account
from requests_app.models.names import keys_of

logger = logging.getLogger("requests_app.accounts")


def claim_names(apps, schema_editor):
    """Each user claims the name; of several that look alike the oldest keeps it, the others are renamed."""
    User = apps.get_model("auth", "User")
    AccountName = apps.get_model("requests_app", "AccountName")
    holders = {}  # key -> the user who has it
    clashing = []
    for user in User.objects.order_by("pk").iterator():
        if holder := _holder(user.username, holders):
            clashing.append((user, holder))
        else:
            holders |= dict.fromkeys(keys_of(user.username), user)
    for user, holder in clashing:
        before, user.username = user.username, _free_name(user.username, holders)
        user.save(update_fields=["username"])
        holders |= dict.fromkeys(keys_of(user.username), user)
        logger.warning(
            "Renamed the user %r (id %s) to %r: the name cannot be told from %r (id %s), which is older. "
            "Password, teams and requests are the same. Tell the person, or give another name with "
            "manage.py rename_user.",
            before, user.pk, user.username, holder.username, holder.pk,
        )
    AccountName.objects.bulk_create(
        AccountName(key=key, username=user.username, user_id=user.pk)
        for key, user in holders.items()
    )


def _holder(name, holders):
    return next((holders[key] for key in keys_of(name) if key in holders), None)


def _free_name(name, holders):
    number = 2
    while _holder(found := f"{name[:140]}-{number}", holders):
        number += 1
    return found


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("requests_app", "0008_offers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("auth.user",),
            managers=[("objects", requests_app.models.account.AccountManager())],
        ),
        migrations.CreateModel(
            name="AccountName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=600, unique=True)),
                ("username", models.CharField(max_length=150)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="account_names", to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunPython(claim_names, migrations.RunPython.noop),
    ]
