"""Rows of the access log as a file that is whole or not there."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from ccproxy.cli.access_logs_source import Ask, Asked, pages
from ccproxy.records.output import as_csv, as_ndjson, write_parquet


def export(asked: Asked, ask: Ask, file: Path) -> int:
    """Write what is asked for to a new file, which only its owner may read; returns the number of rows.

    Raises FileExistsError, and any other OSError.
    """
    # the name is taken first, so that nothing is overwritten and nothing is asked for in vain
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with TemporaryDirectory(prefix=".ccproxy-", dir=file.parent) as folder:
            made = Path(folder, file.name)
            written = WRITERS[file.suffix](asked, ask, made)
            made.chmod(0o600)
            made.replace(file)
    except BaseException:
        file.unlink()
        raise
    return written


def ndjson(asked: Asked, ask: Ask, made: Path) -> int:
    written = 0
    with made.open("wb") as output:
        for page in pages(asked, ask):
            output.write(as_ndjson(asked.names, [list(row.values()) for row in page]))
            written += len(page)
    return written


def csv(asked: Asked, ask: Ask, made: Path) -> int:
    written = 0
    with made.open("wb") as output:
        for number, page in enumerate(pages(asked, ask)):
            values = [list(row.values()) for row in page]
            output.write(as_csv(asked.names, values, names=number == 0))
            written += len(page)
    return written


def parquet(asked: Asked, ask: Ask, made: Path) -> int:
    lines = made.with_name("rows.ndjson")
    written = ndjson(asked, ask, lines)
    write_parquet(asked.names, lines, made)
    return written


WRITERS: dict[str, Callable[[Asked, Ask, Path], int]] = {".ndjson": ndjson, ".csv": csv, ".parquet": parquet}
"""By the ending of the file's name."""
