"""Ask fal for the prices of requests that ended before their price was known. Waits for fal: not on the loop."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from requests_app import lifecycle
from requests_app.catalogue.prices import price_with
from requests_app.keys import key_of

MOST_ASKED = 10  # prices of one round; what is due beyond them waits for the next


def price_due(now: datetime) -> int:
    """Store the costs that are due; return how many became known."""
    wanted = lifecycle.due_costs(now).items()
    return sum(
        lifecycle.store_costs(pks, price_with(key_of(key), endpoint), now=now)
        for (key, endpoint), pks in islice(wanted, MOST_ASKED)
    )
