import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccproxy.cli.permission_desk import SETTLE
from tests.support.permission_server import PermissionServer, permission_server
from tests.support.talking import Talk, on_a_terminal, on_pipes


@pytest.fixture
def server() -> Iterator[PermissionServer]:
    with permission_server() as started:
        yield started


@pytest.fixture
def talk(server: PermissionServer, home: Path) -> Iterator[Talk]:
    with on_pipes(home, "--port", str(server.port)) as started:
        started.wait_for("Nothing waits.\n> $")
        yield started


def look() -> None:
    time.sleep(SETTLE + 0.1)


def test_in_a_dumb_terminal(server: PermissionServer, home: Path) -> None:
    with on_a_terminal(home, "--port", str(server.port), term="dumb") as talk:
        talk.wait_for(r"Nothing waits\.\n> $")
        asked = server.ask("Bash", {"command": "touch x\x1b]0;pwned\x07", "description": "d"})
        talk.wait_for("description: d\n> $")
        assert (
            "--- Bash ---\n"
            "in      /home/me\n"
            "session s-1\n"
            "expires in 0:59\n"
            "Characters that would not be seen are written out, such as \\x1b.\n"
            "  touch x\\x1b]0;pwned\\x07\n\n"
            "  description: d\n"
        ) in talk.said
        look()
        talk.line("a", "^Allowed: Bash: touch")
        assert asked.result(5).allowed
        assert b"\x1b" not in talk.raw
        assert b"\x07" not in talk.raw
        talk.type("q\n")
        assert talk.end() == 0


def test_denying_with_and_without_a_message(server: PermissionServer, talk: Talk) -> None:
    first = server.ask("Bash", {"command": "one"})
    talk.wait_for("  one\n> $")
    talk.line("d not now", "^Denied: Bash: one")
    second = server.ask("Bash", {"command": "two"})
    talk.wait_for("  two\n> $")
    talk.line("deny", r"Why\?.*$")
    talk.line("because", "Denied: Bash: two")
    third = server.ask("Bash", {"command": "three"})
    talk.wait_for("  three\n> $")
    talk.line("d", r"Why\?.*$")
    talk.line("", "Denied: Bash: three")
    assert [asked.result(5).message for asked in (first, second, third)] == ["not now", "because", None]


def test_allowing_for_the_session(server: PermissionServer, talk: Talk) -> None:
    asked = server.ask("Bash", {"command": "one"})
    talk.wait_for("  one\n> $")
    look()
    talk.line("s", "Allowed for this session: Bash: one")
    assert asked.result(5).remember == "session"
    server.ask("Bash", {"command": "one"}, session=None)
    talk.wait_for(r"session \(not told\)")
    look()
    talk.line("s", "It does not tell its session: allow it once.")


def test_editing(server: PermissionServer, talk: Talk) -> None:
    asked = server.ask("Bash", {"command": "one"})
    talk.wait_for("  one\n> $")
    talk.line("e", '   2   "command": "one"\n(.*\n)+.*A dot alone')
    talk.line('2 "command": two', "^   3 }")
    talk.line(".", r"Line 2, column 12: Expecting value\.")
    talk.line("", "--- Bash ---")
    # what was typed is still there
    talk.line("e", '   2 "command": two')
    talk.line('2 "command": "two"', "^   3 }")
    talk.line(".", "Allowed, with an edited input: Bash: one")
    assert asked.result(5).updated_input == {"command": "two"}


def test_several_wait(server: PermissionServer, talk: Talk) -> None:
    for command in ("one", "two", "three"):
        server.ask("Bash", {"command": command})
    talk.wait_for(r"Another one waits \(3 in all\)\.")
    talk.line("n", r"--- Bash \(2 of 3\) ---\n(.*\n)+  two")
    talk.line("p", r"--- Bash \(1 of 3\) ---\n(.*\n)+  one")
    talk.line("", r"--- Bash \(1 of 3\) ---")
    talk.line("d", "Why")
    talk.line("", r"Denied: Bash: one\n--- Bash \(1 of 2\) ---\n(.*\n)+  two")
    talk.line(
        "q", "2 requests wait on and will be denied, from .* on. Answer with: ccproxy permission-handler"
    )
    assert talk.end() == 0
    assert len(server.pending()) == 2


def test_an_answer_is_never_meant_for_another_one(server: PermissionServer, talk: Talk) -> None:
    server.ask("Bash", {"command": "one"})
    talk.wait_for("  one\n> $")
    second = server.ask("Bash", {"command": "two"})
    talk.wait_for("Another one waits")
    server.respond(server.pending()[0].id, True)
    talk.wait_for(r"Allowed elsewhere: Bash: one\nPress Enter to go on \(1 waits\)\.")
    assert "  two" not in talk.said
    talk.line("a", "--- Bash ---\n(.*\n)+  two")
    talk.line("a", "This one has just come: look first.")
    assert not second.done()
    look()
    talk.line("a", "Allowed: Bash: two")
    assert second.result(5).allowed


def test_one_expires_while_somebody_writes(home: Path) -> None:
    with permission_server(timeout_seconds=1) as server, on_pipes(home, "--port", str(server.port)) as talk:
        talk.wait_for("> $")
        server.ask("Bash", {"command": "one"})
        talk.wait_for("  one\n> $")
        talk.line("d", r"Why\?")
        talk.wait_for(
            r"Expired, nobody answered in time: Bash: one\nWhat you wrote was not sent\.\n"
            r"Press Enter to go on \(0 wait\)\."
        )
        server.ask("Bash", {"command": "two"})
        talk.wait_for("A request waits: press Enter to see it.")
        talk.line("because", "  two")


def test_words_that_mean_nothing_and_help(talk: Talk) -> None:
    talk.line("allowed", "Not understood. a allow")
    talk.line("?", "the model reads that")
    talk.line("a", "Nothing waits.")
    talk.line("n", "Nothing waits.")


def test_the_end_of_the_input_quits(talk: Talk) -> None:
    talk.hang_up()
    assert talk.end() == 0


def test_ctrl_c_quits(talk: Talk) -> None:
    talk.interrupt()
    assert talk.end() == 0
    assert "Traceback" not in talk.said


def test_the_server_goes_and_comes_back(server: PermissionServer, talk: Talk) -> None:
    server.ask("Bash", {"command": "one"})
    talk.wait_for("  one\n> $")
    server.stop()
    talk.wait_for(r"^The proxy .*\. Trying again every 1 s\.")
    server.start()
    talk.wait_for("Connected again.")
    talk.line("", "Nothing waits.")
    server.ask("Bash", {"command": "two"})
    talk.wait_for("  two\n> $")


def test_a_terminal_without_unicode(server: PermissionServer, home: Path) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with on_pipes(home, "--port", str(server.port), environment=ascii_only) as talk:
        talk.wait_for("> $")
        server.ask("Bash", {"command": "echo 漢"})
        talk.wait_for(r"  echo \\u6f22")
