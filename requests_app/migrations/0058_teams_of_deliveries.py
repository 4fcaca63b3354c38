from django.db import migrations
from django.db.models import Max, OuterRef, Subquery

AT_ONCE = 20_000


def name_teams(apps, schema_editor):
    """Give each delivery its request's team, some at a time."""
    delivery = apps.get_model("requests_app", "Delivery")
    request = apps.get_model("requests_app", "FalRequest")
    teams = Subquery(request.objects.filter(pk=OuterRef("request_id")).values("team_id")[:1])
    newest = delivery.objects.aggregate(newest=Max("pk"))["newest"] or 0
    for below in range(0, newest + 1, AT_ONCE):
        some = delivery.objects.filter(pk__gt=below, pk__lte=below + AT_ONCE, team=None)
        some.update(team_id=teams)


class Migration(migrations.Migration):

    dependencies = [("requests_app", "0057_team_deliveries")]
    atomic = False

    operations = [migrations.RunPython(name_teams, migrations.RunPython.noop, elidable=True)]
