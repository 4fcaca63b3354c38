"""The waiting line of one endpoint. Pure bookkeeping: no clock, no tasks."""

from __future__ import annotations

from .record import LOW, QueuedRequest


class Lane:
    """Low priority waits behind every normal request; within one priority it is first come."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.running: set[str] = set()
        self._normal: dict[str, QueuedRequest] = {}
        self._low: dict[str, QueuedRequest] = {}

    def __len__(self) -> int:
        return len(self._normal) + len(self._low)

    def add(self, request: QueuedRequest) -> None:
        line = self._low if request.priority == LOW else self._normal
        line[request.id] = request

    def remove(self, request: QueuedRequest) -> bool:
        """Whether it was still waiting."""
        found = self._normal.pop(request.id, None) or self._low.pop(request.id, None)
        return found is not None

    def position(self, request: QueuedRequest) -> int | None:
        """How many requests are ahead; None when it does not wait."""
        waiting = [*self._normal, *self._low]
        return waiting.index(request.id) if request.id in waiting else None

    def waiting(self) -> list[QueuedRequest]:
        return [*self._normal.values(), *self._low.values()]

    def take(self) -> QueuedRequest | None:
        """The next one to run, if there is room."""
        if len(self.running) >= self.capacity or not len(self):
            return None
        line = self._normal or self._low
        request = line.pop(next(iter(line)))
        self.running.add(request.id)
        return request
