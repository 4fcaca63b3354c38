"""A zip of tables and outputs, written while it is sent: it is never held as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from zipstream import ZipStream

from requests_app.display.output_download import plain_type
from requests_app.export.inline_files import inline_files
from requests_app.export.outputs import StoredOutput


def zip_of(
    readme: str,
    tables: Mapping[str, Iterator[bytes]],
    outputs: Iterable[tuple[str, StoredOutput]],
) -> Iterator[bytes]:
    """Yield the zip. `outputs`: each with its name.

    Each output is a file in `outputs/`, also a large one; files that stand in an output itself are in `files/`.
    """
    archive = ZipStream()
    archive.add(readme.encode(), "README.txt")
    for name, pieces in tables.items():
        archive.add(pieces, name)
    yield from archive.all_files()
    for name, output in outputs:
        ending = plain_type(output.content_type)[1]
        archive.add(output.pieces(), f"outputs/{name}.{ending}")
        yield from archive.all_files()
        files = inline_files(output.parsable()) if ending == "json" else ()
        for place, (file_ending, content) in enumerate(files, 1):
            archive.add(content, f"files/{name}-{place}.{file_ending}")
            yield from archive.all_files()
    yield from archive.finalize()
