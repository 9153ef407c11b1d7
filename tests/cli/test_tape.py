from pathlib import Path

import pytest

from ccproxy.cli.tape import Tape, outcome, settings_for_tape
from ccproxy.records.cassette import Recorded, append, create

LOG = """10:00:00 INFO POST /api/v1/messages -> 200
10:00:01 WARNING No recording for POST /api/v1/messages:
  The nearest is number 1 (m); recorded -> asked:
    messages[0].content: "a" -> "b"
10:00:01 INFO POST /api/v1/messages -> 400 no_recording
10:00:02 WARNING No recording for POST /api/v1/messages:
  Nothing of this kind was recorded.
"""


def test_what_a_cassette_asks_of_the_settings() -> None:
    assert settings_for_tape(None) == {}
    assert settings_for_tape(Tape("record", "f")) == {"codex.websocket": "off"}
    assert settings_for_tape(Tape("replay", "f")) == {"codex.websocket": "off", "retries.attempts": 0}


@pytest.mark.parametrize(("count", "said"), [(0, "0 exchanges"), (1, "1 exchange"), (2, "2 exchanges")])
def test_how_much_was_recorded(tmp_path: Path, count: int, said: str) -> None:
    path = tmp_path / "c"
    create(path)
    for _ in range(count):
        append(path, Recorded("chat", "/", 200, []))
    assert outcome(Tape("record", str(path)), None) == f"ccproxy: {path} holds {said}"


def test_what_was_not_recorded(tmp_path: Path) -> None:
    path, log = tmp_path / "c", tmp_path / "log"
    create(path)
    log.write_text("10:00:00 INFO x\n10:00:01 ERROR Not recorded: POST /a (one)\n" * 2)
    said = "2 not recorded. The first: Not recorded: POST /a (one)"
    assert outcome(Tape("record", str(path)), log) == f"ccproxy: {path} holds 0 exchanges; {said}"
    path.unlink()
    gone = f"ccproxy: {path} cannot be read: No such file or directory"
    assert outcome(Tape("record", str(path)), log) == f"{gone}; {said}"


def test_what_had_no_answer(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    assert outcome(Tape("replay", "f"), log).splitlines() == [
        "ccproxy: 2 requests without an answer in f. The first: No recording for POST /api/v1/messages:",
        "  The nearest is number 1 (m); recorded -> asked:",
        '    messages[0].content: "a" -> "b"',
    ]
    log.write_text(LOG.splitlines()[0])
    assert outcome(Tape("replay", "f"), log) == "ccproxy: 0 requests without an answer in f"
