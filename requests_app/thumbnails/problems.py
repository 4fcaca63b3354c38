"""Why there is no thumbnail."""

from __future__ import annotations


class NoThumbnail(Exception):
    """None can be made; the message is a sentence for users. `is_final`: another try cannot help."""

    def __init__(self, sentence: str, *, is_final: bool) -> None:
        super().__init__(sentence)
        self.is_final = is_final
