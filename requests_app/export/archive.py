"""A zip of tables and outputs, written while it is sent: it is never held as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from zipstream import ZipStream

from requests_app.display.output_download import plain_type
from requests_app.export.inline_files import inline_files
from requests_app.export.outputs import beginning_of_output, bytes_of_output


def zip_of(
    readme: str,
    tables: Mapping[str, Iterator[bytes]],
    outputs: Iterable[tuple[str, int, str]],
) -> Iterator[bytes]:
    """Yield the zip. `outputs`: name, key of the request and type of each.

    Each output is a file in `outputs/`, also a large one; files that stand in an output itself are in `files/`.
    """
    archive = ZipStream()
    archive.add(readme.encode(), "README.txt")
    for name, pieces in tables.items():
        archive.add(pieces, name)
    yield from archive.all_files()
    for name, key, kind in outputs:
        ending = plain_type(kind)[1]
        archive.add(bytes_of_output(key), f"outputs/{name}.{ending}")
        yield from archive.all_files()
        files = inline_files(beginning_of_output(key)) if ending == "json" else ()
        for place, (file_ending, content) in enumerate(files, 1):
            archive.add(content, f"files/{name}-{place}.{file_ending}")
            yield from archive.all_files()
    yield from archive.finalize()
