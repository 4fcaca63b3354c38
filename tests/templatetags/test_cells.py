"""The page of a request leads to the list by each of its facts, without scripts; the list's cells: test_pages."""

from __future__ import annotations

import html
import re

from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import FalRequest, Team
from requests_app.search.index import write_entries
from tests.builders import make_request


def test_each_fact_of_a_request_leads_to_those_that_have_it_and_to_those_that_have_not(
    as_owner: Client, team: Team, owner: User, teammate: User
) -> None:
    row = make_request(team=team, person=owner, endpoint_id="acme/img")
    other = make_request(team=team, person=teammate, endpoint_id="acme/text")
    FalRequest.objects.filter(pk=row.pk).update(seed="42", status="failed", error_type="odd")
    FalRequest.objects.filter(pk=other.pk).update(origin="api")
    write_entries([row.pk, other.pk])
    page = as_owner.get(f"/requests/{row.public_id}/").text
    part = page.partition("<h2>Requests with the same</h2>")[2].partition("</section>")[0]
    addresses = [html.unescape(one) for one in re.findall(r'href="(.+?)"', part)]
    assert len(addresses) == 2 * 6  # all but a key
    for only, without in zip(addresses[::2], addresses[1::2], strict=True):
        shown = [as_owner.get(address).text for address in (only, without)]
        for present, absent, text in ((row, other, shown[0]), (other, row, shown[1])):
            assert f'id="request-{present.public_id}"' in text, only
            assert f'id="request-{absent.public_id}"' not in text, only
