from django.db import migrations


class Migration(migrations.Migration):
    """The part of `AccountName` that the database can see in the users' own table.

    It holds for programs that make users without `Account`. A migration of its own: PostgreSQL makes no
    index in a transaction that has changed the rows.
    """

    dependencies = [("requests_app", "0009_account_names")]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX requests_app_username_in_any_case ON auth_user (lower(username))",
            "DROP INDEX requests_app_username_in_any_case",
        )
    ]
