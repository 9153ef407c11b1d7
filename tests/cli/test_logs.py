"""The log comes out in time, clean, and stops nobody."""

import logging
import subprocess
import sys

import pytest

from ccproxy.cli.logs import logs

NOBODY_READS = """
import logging
from ccproxy.cli.logs import logs
with logs("info"):
    for number in range(20000):
        logging.getLogger("ccproxy").info("line %s of a log that nobody reads " * 5, *[number] * 5)
    print("done", flush=True)
"""


@pytest.fixture(autouse=True)
def usual_logging() -> object:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("ccproxy").level
    yield
    root.handlers[:], level, ours = before
    root.setLevel(level)
    logging.getLogger("ccproxy").setLevel(ours)


def test_lines_are_clean_and_at_their_level(capsys: pytest.CaptureFixture[str]) -> None:
    with logs("info"):
        logging.getLogger("ccproxy.addons").info("asked with authorization: Bearer s3cret")
        logging.getLogger("ccproxy.addons").debug("too much")
        logging.getLogger("mitmproxy").info("not ours")
        try:
            raise ValueError("x-api-key: s3cret")
        except ValueError:
            logging.getLogger("mitmproxy").exception("broken")
    (first, second, *trace) = capsys.readouterr().err.splitlines()
    assert first[9:] == "INFO asked with authorization: [sealed]"
    assert second[9:] == "ERROR broken"
    assert trace[-1] == "ValueError: x-api-key: [sealed]"


def test_a_pipe_that_nobody_reads_stops_nothing() -> None:
    command = [sys.executable, "-c", NOBODY_READS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"done\n"
        assert process.stderr
        assert process.stderr.read().count(b"\n") == 20000
