"""The writer, with real files, and real processes where it has to die or to share."""

import random
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ccproxy.records import store
from ccproxy.records.schema import TABLE, VERSIONS
from ccproxy.records.store import AccessLog, UnavailableError
from tests.records.rows import row, until
from tests.support.processes import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "access.duckdb"


@contextmanager
def logging_to(path: Path, retention_days: int | None = None, waiting: int = 100_000) -> Iterator[AccessLog]:
    log = AccessLog(path, retention_days, waiting=waiting, patience=0.05)
    log.start()
    try:
        yield log
    finally:
        log.close()


def ids_in(path: Path) -> list[str]:
    with duckdb.connect(path, read_only=True) as connection:
        return [one for (one,) in connection.execute(f"SELECT request_id FROM {TABLE} ORDER BY 1").fetchall()]


def test_rows_are_written_within_a_moment_and_priced(path: Path) -> None:
    with logging_to(path) as log:
        log.put(row(request_id="a", losses=["x(clamped)", 'with "quotes"'], model_requested="Grüße 🎉"))
        until(lambda: log.status()["written"] == 1, seconds=5)
        with log.reader() as reader:
            query = f"SELECT request_id, started_at, cost_usd, losses, model_requested, stream FROM {TABLE}"
            ((name, at, cost, losses, model, stream),) = reader.execute(query).fetchall()
    assert (name, at, losses) == ("a", datetime(2026, 11, 1, 12), ["x(clamped)", 'with "quotes"'])
    assert (cost, model, stream) == (pytest.approx(0.0075), "Grüße 🎉", False)


def test_the_end_writes_what_waits(path: Path) -> None:
    with logging_to(path) as log:
        for number in range(2500):
            log.put(row(request_id=f"{number:05}"))
    assert ids_in(path) == [f"{number:05}" for number in range(2500)]
    assert log.status()["state"] == "closed"
    with pytest.raises(UnavailableError), log.reader():
        pass


def test_a_log_that_never_started_ends_as_well(path: Path) -> None:
    AccessLog(path).close()
    assert not path.parent.exists()


def test_a_restart_goes_on_in_the_same_file(path: Path) -> None:
    for name in ("a", "b"):
        with logging_to(path) as log:
            log.put(row(request_id=name))
    assert ids_in(path) == ["a", "b"]


def test_only_the_user_can_read_it(path: Path) -> None:
    with logging_to(path) as log:
        log.put(row())
        until(lambda: log.status()["written"] == 1)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {"access.duckdb": 0o600, "access.duckdb.wal": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_handing_over_waits_for_nothing(path: Path) -> None:
    """The file is not even open yet; the bound is wide because the machine may be busy."""
    log, one = AccessLog(path), row()
    begun = time.perf_counter()
    for _ in range(5000):
        log.put(one)
    assert (time.perf_counter() - begun) / 5000 < 100e-6


def test_a_full_queue_drops_and_counts(path: Path) -> None:
    log = AccessLog(path, waiting=10)
    for number in range(25):
        log.put(row(request_id=f"{number:02}"))
    assert (log.status()["dropped"], log.status()["waiting"]) == (15, 10)
    log.start()
    until(lambda: log.status()["written"] == 10)
    log.put(row(request_id="later"))
    log.close()
    assert ids_in(path) == [*(f"{number:02}" for number in range(10)), "later"]


def test_figures_that_no_column_can_hold_are_unknown(path: Path) -> None:
    with logging_to(path) as log:
        log.put(row(request_id="a", tokens_input=2**70, status=99_999))
        log.put(row(request_id="b"))
    with duckdb.connect(path) as connection:
        query = f"SELECT request_id, tokens_input, status FROM {TABLE} ORDER BY 1"
        assert connection.execute(query).fetchall() == [("a", None, None), ("b", 1000, 200)]


def test_old_rows_go_in_steps_and_new_ones_stay(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "STEP", 3)
    monkeypatch.setattr(store, "_OLD", store._OLD.replace("LIMIT 10000", "LIMIT 3"))
    now = datetime.now(UTC).replace(tzinfo=None)
    with logging_to(path) as log:
        for days in range(12):
            log.put(row(request_id=f"{days:02}", started_at=now - timedelta(days=days, hours=1)))
    with logging_to(path, retention_days=5) as log:
        until(lambda: log.status()["state"] == "ok")
        with log.reader() as reader:
            count = f"SELECT count(*) FROM {TABLE}"
            until(lambda: reader.execute(count).fetchall() == [(5,)])
    assert ids_in(path) == ["00", "01", "02", "03", "04"]


def test_a_very_long_retention(path: Path) -> None:
    with logging_to(path, retention_days=1_000_000) as log:
        log.put(row(request_id="a"))
    assert ids_in(path) == ["a"]


# --- what can be wrong with the file

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_has_the_file(path: Path) -> None:
    path.parent.mkdir()
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == b"held\n"
        with logging_to(path) as log:
            log.put(row(request_id="waits"))
            until(lambda: log.status()["state"] == "locked")
            assert "Another process" in log.status()["reason"]
            with pytest.raises(UnavailableError, match="Another process"), log.reader():
                pass
            holder.stdin.close()
            until(lambda: log.status()["written"] == 1)
            assert (log.status()["state"], log.status()["dropped"]) == ("ok", 0)
    assert ids_in(path) == ["waits"]


def test_what_cannot_be_written_until_the_end_is_counted(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("my notes of the day")
    with logging_to(path, waiting=10) as log:
        until(lambda: log.status()["state"] == "damaged")
        for _ in range(20):
            log.put(row())
    assert log.status()["dropped"] == 20
    assert log.status()["written"] == 0


def test_somebody_elses_file_is_left_as_it_is_and_the_log_begins_when_it_is_gone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("my notes of the day")
    with logging_to(path) as log:
        log.put(row(request_id="a"))
        until(lambda: log.status()["state"] == "damaged")
        assert path.read_text() == "my notes of the day"
        assert log.status()["moved_aside"] is None
        path.rename(path.with_name("notes.txt"))
        until(lambda: log.status()["written"] == 1)
    assert ids_in(path) == ["a"]


def test_a_damaged_log_is_moved_aside_and_a_new_one_begins(path: Path) -> None:
    with logging_to(path) as log:
        log.put(row(request_id="old"))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(8192))
    damaged = path.read_bytes()
    with logging_to(path) as log:
        log.put(row(request_id="new"))
        until(lambda: log.status()["written"] == 1)
        moved = log.status()["moved_aside"]
    assert re.fullmatch(r"access\.duckdb\.damaged-\d{8}T\d{12}", moved)
    assert path.with_name(moved).read_bytes() == damaged
    assert ids_in(path) == ["new"]


def test_a_log_that_was_cut_short_at_its_birth(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with logging_to(path) as log:
        log.put(row(request_id="a"))
    assert ids_in(path) == ["a"]


def test_a_newer_log_is_refused(path: Path) -> None:
    with logging_to(path):
        pass
    with duckdb.connect(path) as connection:
        connection.execute(f"INSERT INTO {VERSIONS} VALUES (99)")
    with logging_to(path) as log:
        until(lambda: log.status()["state"] == "newer")
        assert "Update ccproxy" in log.status()["reason"]
    assert log.status()["moved_aside"] is None


FULL = """
import resource, sys, time
from pathlib import Path
from ccproxy.records.store import AccessLog
from tests.records.rows import row, until

log = AccessLog(Path(sys.argv[1]), patience=0.05)
log.start()
until(lambda: log.status()["state"] == "ok")
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))
for number in range(500):
    log.put(row(request_id=f"{number:05}"))
until(lambda: log.status()["state"] == "disk_full")
assert log.status()["dropped"] == 0
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
until(lambda: log.status()["written"] == 500)
assert log.status()["state"] == "ok"
log.close()
"""


def test_a_full_disk_and_room_again(path: Path) -> None:
    """A limit on the size of files stands for the disk: DuckDB gets an error from the same call."""
    said = run_python(FULL, path)
    assert said == "Access log: The disk is full. Rows wait until there is room.\n"
    assert ids_in(path) == [f"{number:05}" for number in range(500)]


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with logging_to(tmp_path / "file" / "access.duckdb") as log:
        log.put(row())
        until(lambda: log.status()["state"] == "failed")
        assert log.status()["bytes"] is None
    assert log.status()["dropped"] == 1


# --- the sudden end

LOAD = """
import sys, time
from pathlib import Path
from ccproxy.records.store import CONFIG, AccessLog
from tests.records.rows import row

# moments of a checkpoint are to be among those at which it dies
CONFIG["checkpoint_threshold"] = "100KB"
log, number = AccessLog(Path(sys.argv[1])), int(sys.argv[2])
log.start()
while log.status()["state"] != "ok":
    time.sleep(0.01)
while True:
    for _ in range(10):
        log.put(row(request_id=f"{number:08}"))
        number += 1
    print(number, time.time(), flush=True)
    time.sleep(0.005)
"""


@pytest.mark.slow
def test_kill_9_at_random_moments_loses_the_last_second_at_most(path: Path) -> None:
    seed = time.time_ns()
    print("seed:", seed)
    chance = random.Random(seed)
    first = 0
    for _ in range(3):
        command = [sys.executable, "-c", LOAD, str(path), str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as load:
            assert load.stdout
            said = [load.stdout.readline()]
            time.sleep(chance.uniform(0, 1.5))
            load.kill()
            killed = time.time()
            said += load.stdout.readlines()
        handed = [line.split() for line in said if line.endswith(b"\n")]
        safe = max([int(number) for number, at in handed if float(at) < killed - 1.0], default=first)
        # every row up to some one is there, and none of those is twice
        there = ids_after_a_kill(path)
        assert there == [f"{number:08}" for number in range(len(there))]
        assert safe <= len(there) <= int(handed[-1][0]) + 10
        first = len(there)
    assert not list(path.parent.glob("*.damaged-*"))


def ids_after_a_kill(path: Path) -> list[str]:
    """As our own next start finds them."""
    with logging_to(path) as log:
        until(lambda: log.status()["state"] == "ok")
        assert log.status()["moved_aside"] is None
    return ids_in(path)


def run_python(code: str, *arguments: object) -> str:
    """What it says on stderr."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def test_duckdb_and_the_prices_are_imported_only_when_it_starts() -> None:
    code = (
        "import sys, ccproxy.addons.chain\n"
        "assert not {'duckdb', 'genai_prices'} & set(sys.modules), 'imported too early'"
    )
    assert run_python(code) == ""
