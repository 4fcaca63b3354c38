"""Open replies are counted by token, and no longer when they end, however they end."""

from __future__ import annotations

import gc

import pytest

from requests_app.api.errors import TooManyStreams
from requests_app.api.seats import Seats
from requests_app.models import ApiToken


def test_a_token_has_so_many_seats_and_another_has_its_own() -> None:
    seats, one, other = Seats(), ApiToken(pk=1), ApiToken(pk=2)
    taken = [seats.take(one, 2, "Too many.") for _ in range(2)]
    with pytest.raises(TooManyStreams, match="Too many"):
        seats.take(one, 2, "Too many.")
    assert seats.take(other, 2, "Too many.")
    taken.pop()
    gc.collect()
    assert seats.take(one, 2, "Too many.")
