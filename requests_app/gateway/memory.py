"""How much is held for the record at once. Calls pass on, whatever is full here."""

from __future__ import annotations


class MemoryBudget:
    """Bytes that all calls of this process may hold together. Not thread-safe."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> bool:
        """Take this much; False when there is not so much left."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        self._left += size


class Copy:
    """Holds what passes, up to a limit and within the budget; beyond either it is dropped whole."""

    def __init__(self, budget: MemoryBudget, most: int) -> None:
        self._budget, self._most = budget, most
        self._pieces: list[bytes] = []
        self._held = 0
        self.size = 0  # of all that passed
        self.is_whole = True

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if not self.is_whole:
            return
        if self._held + len(piece) > self._most or not self._budget.take(len(piece)):
            self.drop()
            self.is_whole = False
            return
        self._pieces.append(piece)
        self._held += len(piece)

    def expect(self, size: int) -> None:
        """Hear how much will pass; hold nothing of what would be dropped in the end."""
        if size > self._most:
            self.is_whole = False

    def take(self) -> list[bytes]:
        """Return the pieces since the last call; what they hold is given back."""
        pieces, self._pieces = self._pieces, []
        self._budget.give_back(self._held)
        self._held = 0
        return pieces

    def bytes(self) -> bytes:
        """Return what was copied; it stays counted until `drop`."""
        whole = b"".join(self._pieces)
        self._pieces = [whole]
        return whole

    def drop(self) -> None:
        """Hold nothing any more."""
        self.take()
