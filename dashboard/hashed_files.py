"""Writes static files under names with a hash of their content, lighter than their sources.

Our modules lose their comments, a quarter of what they weigh compressed; lines keep their numbers. A style sheet
takes in what it imports: a browser would ask for an import when it has read the sheet that names it.
Django's own storage writes each module anew for each step of its imports, which takes a second more.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser
from whitenoise.compress import Compressor

from dashboard.module_imports import with_names

OWN, OWN_STYLES = "js/", "css/"
# Not worth two seconds of Brotli: gzip alone.
RARE = "ninja/"

_IMPORTED_STYLE = re.compile(r'^@import url\("(?P<url>[^"]+)"\);$', re.MULTILINE)

_LANGUAGE = Language(tree_sitter_typescript.language_typescript())


def write_hashed(sources: Mapping[str, Path], into: Path) -> dict[str, str]:
    """Write each file, and compressed ones beside it; return its name there.

    Modules of ours import each other by these names, and may not do so in a circle.
    """
    writing = _Writing(sources, into)
    hashed = {name: writing.name_of(name) for name in sources}
    for name, to in hashed.items():
        Compressor(use_brotli=not name.startswith(RARE), quiet=True).compress(str(into / to))
    return hashed


class _Writing:
    def __init__(self, sources: Mapping[str, Path], into: Path) -> None:
        self._sources, self._into = sources, into
        self._names: dict[str, str] = {}

    def name_of(self, name: str) -> str:
        """Return the hashed name. A module's is known when those of its imports are."""
        if name not in self._names:
            data = self._sources[name].read_bytes()
            if name.startswith(OWN):
                text = without_comments(data).decode()
                data = with_names(name, text, self.name_of).encode()
            elif name.startswith(OWN_STYLES):
                data = self._whole_style(name).encode()
            stem, ending = posixpath.splitext(name)
            hashed = f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}{ending}"
            (self._into / hashed).parent.mkdir(parents=True, exist_ok=True)
            (self._into / hashed).write_bytes(data)
            self._names[name] = hashed
        return self._names[name]

    def _whole_style(self, name: str) -> str:
        """Return the sheet with those it imports in their places. They may not do so in a circle."""

        def imported(match: re.Match[str]) -> str:
            return self._whole_style(
                posixpath.normpath(posixpath.join(posixpath.dirname(name), match["url"]))
            )

        return _IMPORTED_STYLE.sub(imported, self._sources[name].read_text(encoding="utf-8"))


def without_comments(module: bytes) -> bytes:
    """Return the module with its comments gone, line by line; as it is when it cannot be read."""
    root = Parser(_LANGUAGE).parse(module).root_node
    if root.has_error:
        return module
    parts, at = [], 0
    for comment in _comments(root):
        text = comment.text or b""
        # Its line ends stay, and two words that it parts stay two.
        gap = b"\n" * text.count(b"\n") or b" " * text.startswith(b"/*")
        parts += [module[at : comment.start_byte].rstrip(b" \t"), gap]
        at = comment.end_byte
    return b"".join([*parts, module[at:]])


def _comments(root: Node) -> list[Node]:
    """In the order of the text."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if node.type == "comment":
            found.append(node)
        waiting += node.children
    return sorted(found, key=lambda node: node.start_byte)
