"""What can be wrong with the access log's file, told from what DuckDB says (2.0.0) and from the file."""

from pathlib import Path
from typing import Literal

from ccproxy.records.schema import NewerFileError

State = Literal["starting", "ok", "locked", "newer", "damaged", "disk_full", "failed", "closed"]

REASONS: dict[State, str | None] = {
    "starting": "The file is being opened.",
    "ok": None,
    "locked": "Another process has the file open, such as a second ccproxy. Rows wait until it lets go: "
    "end it, or set another observability.duckdb_path.",
    "newer": "A newer ccproxy or DuckDB has written the file. Update ccproxy, or set another "
    "observability.duckdb_path.",
    "damaged": "The file is no DuckDB database, and is left as it is. Move it away, or set another "
    "observability.duckdb_path.",
    "disk_full": "The disk is full. Rows wait until there is room.",
    "failed": "The file cannot be opened or written; the server's log says why.",
    "closed": "The log is closed.",
}
"""For people: what has happened, and what to do. No paths: these texts leave the process."""

SIGNS: tuple[tuple[State, tuple[str, ...]], ...] = (
    ("locked", ("could not set lock",)),
    ("disk_full", ("no space left", "file too large", "quota exceeded")),
    ("newer", ("version number", "newer version")),
    ("damaged", ("corrupt", "not a valid duckdb", "could not read enough bytes", "serialization error")),
)
"""Parts of DuckDB's messages, in lower case."""


def state_of(problem: Exception) -> State:
    """What an error of DuckDB's, or one of ours, means for the log."""
    if isinstance(problem, NewerFileError):
        return "newer"
    said = str(problem).lower()
    return next((state for state, signs in SIGNS if any(sign in said for sign in signs)), "failed")


def is_damaged_log(path: Path) -> bool:
    """Whether a file that is no good was a database once, or never became one.

    DuckDB writes its name from the ninth byte on (storage format of 2.0.0). Anything else is somebody's file
    that the settings name by mistake.
    """
    with path.open("rb") as file:
        head = file.read(12)
    return not head or head[8:] == b"DUCK"
