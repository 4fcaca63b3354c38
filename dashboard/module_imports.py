"""What a module of static/js imports, by its text."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

# What stands before the address of a module of ours, and the address.
_IMPORT = re.compile(
    r"""^(?P<words>(?:import|export)\b[^"';]*)["'](?P<url>\.\.?/[^"']+)["']""", re.MULTILINE
)


def imported_by(name: str, text: str) -> list[str]:
    """Return the names of the modules that the module of this name imports."""
    return [_target(name, match) for match in _IMPORT.finditer(text)]


def with_names(name: str, text: str, new: Callable[[str], str]) -> str:
    """Return the text with another name for each imported module, in the same folder."""

    def changed(match: re.Match[str]) -> str:
        base = posixpath.basename(new(_target(name, match)))
        return f'{match["words"]}"{posixpath.dirname(match["url"])}/{base}"'

    return _IMPORT.sub(changed, text)


def _target(importer: str, match: re.Match[str]) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), match["url"]))
