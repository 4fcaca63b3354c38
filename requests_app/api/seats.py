"""A bound on the replies that a token may have open at once, in this process."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakSet

from requests_app.api.errors import TooManyStreams
from requests_app.models import ApiToken


@dataclass(eq=False)
class Seat:
    """One open reply. It is counted while the object exists, however the reply ends."""

    token: int


class Seats:
    """The open replies of one kind."""

    def __init__(self) -> None:
        self._taken: WeakSet[Seat] = WeakSet()

    def take(self, token: ApiToken, most: int, sentence: str) -> Seat:
        """Count one more; keep the seat as long as the reply is open. Raises TooManyStreams."""
        if sum(seat.token == token.pk for seat in self._taken) >= most:
            raise TooManyStreams(sentence)
        seat = Seat(token.pk)
        self._taken.add(seat)
        return seat
