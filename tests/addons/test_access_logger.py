from pathlib import Path

import duckdb
import pytest

from ccproxy.addons.access_logger import AccessLogger
from ccproxy.exchange import Exchange
from ccproxy.records.filters import Filters
from ccproxy.settings.watching import Observability


def settings(path: Path, *, logs: bool) -> Observability:
    return Observability(logs=logs, duckdb_path=path)


def test_what_has_ended_is_in_the_file(tmp_path: Path) -> None:
    logger = AccessLogger(settings(tmp_path / "a.duckdb", logs=True))
    logger.running()
    asked, health = Exchange("reverse", "POST", "/"), Exchange("reverse", "GET", "/health")
    health.operation = "utility"
    for made in (asked, health):
        logger.keep(made)
    logger.done()
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        assert connection.execute("SELECT request_id FROM access_log").fetchall() == [(asked.id,)]


async def test_who_listens_is_told(tmp_path: Path) -> None:
    logger = AccessLogger(settings(tmp_path / "a.duckdb", logs=True))
    listener = logger.feed.listen(Filters())
    asked = Exchange("reverse", "POST", "/")
    logger.keep(asked)
    told = await anext(listener)
    assert not isinstance(told, int)
    assert told.request_id == asked.id
    logger.done()


@pytest.mark.parametrize("logs", [True, False])
def test_an_end_without_a_beginning(tmp_path: Path, *, logs: bool) -> None:
    logger = AccessLogger(settings(tmp_path / "a.duckdb", logs=logs))
    logger.keep(Exchange("reverse", "POST", "/"))
    logger.done()
    assert not list(tmp_path.iterdir())


def test_off_by_default(tmp_path: Path) -> None:
    logger = AccessLogger(Observability(duckdb_path=tmp_path / "a.duckdb"))
    assert logger.log is None
    logger.running()
    logger.done()
    assert not list(tmp_path.iterdir())
