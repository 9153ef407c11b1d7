from pathlib import Path

import pytest

from ccproxy.records.schema import NewerFileError
from ccproxy.records.store_states import REASONS, is_damaged_log, state_of


@pytest.mark.parametrize(
    ("problem", "state"),
    [
        (Exception('IO Error: Could not set lock on file "x": Conflicting lock is held'), "locked"),
        (Exception('Failed to commit: Could not write file "x.wal": No space left on device'), "disk_full"),
        (Exception("Trying to read a database file with version number 99, but we can only read"), "newer"),
        (NewerFileError("The file has version 9"), "newer"),
        (Exception("Corrupt database file: computed checksum 1 does not match"), "damaged"),
        (Exception('The file "x" exists, but it is not a valid DuckDB database file!'), "damaged"),
        (PermissionError(13, "Permission denied"), "failed"),
    ],
)
def test_what_an_error_means(problem: Exception, state: str) -> None:
    assert state_of(problem) == state


def test_every_state_but_a_good_one_has_a_reason_without_a_path() -> None:
    assert REASONS["ok"] is None
    assert all(reason and "/" not in reason for state, reason in REASONS.items() if state != "ok")


@pytest.mark.parametrize(
    ("content", "damaged"),
    [(b"", True), (b"\1" * 8 + b"DUCK" + b"\2" * 99, True), (b"my notes of the day", False)],
)
def test_whose_file_it_is(content: bytes, damaged: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert is_damaged_log(tmp_path / "file") is damaged
