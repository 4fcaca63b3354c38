"""Which endpoints a team has used, and when each was last used.

The query jumps from endpoint to endpoint in the index `list_by_endpoint`: its cost grows with the
number of endpoints, not with the number of requests. (A DISTINCT would read all of them.)
"""

from __future__ import annotations

from django.db import connection

from requests_app.models import FalRequest, Team

MOST = 1000

_SQL = """
WITH RECURSIVE seen(endpoint_id) AS (
    SELECT MIN(endpoint_id) FROM {table} WHERE team_id = %s
    UNION ALL
    SELECT (SELECT MIN(r.endpoint_id) FROM {table} r
            WHERE r.team_id = %s AND r.endpoint_id > seen.endpoint_id)
    FROM seen WHERE seen.endpoint_id IS NOT NULL
)
SELECT endpoint_id,
       (SELECT MAX(r.id) FROM {table} r
        WHERE r.team_id = %s AND r.endpoint_id = seen.endpoint_id)
FROM seen WHERE endpoint_id IS NOT NULL LIMIT %s
"""


def seen_endpoints(team: Team) -> dict[str, int]:
    """Return endpoint id -> primary key of its newest request."""
    sql = _SQL.format(table=connection.ops.quote_name(FalRequest._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(sql, [team.pk, team.pk, team.pk, MOST])
        return dict(cursor.fetchall())
