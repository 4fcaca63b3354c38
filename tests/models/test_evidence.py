"""The tables that grow with what a request brings."""

from __future__ import annotations

import pytest
from django.db import connection, models

from requests_app.models import Delivery, Frame, LogLine, OutputPart


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Delivery, Frame, LogLine, OutputPart])
def test_what_belongs_to_a_request_is_found_by_one_index_alone(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table).values()
    indexes = [each["columns"] for each in found if each["index"] or each["unique"]]
    assert [columns for columns in indexes if columns[0] == "request_id" and len(columns) > 1]
    assert ["request_id"] not in indexes
