"""The approver in a real terminal, answering a real server."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccproxy.cli.permission_desk import SETTLE
from tests.support.permission_server import PermissionServer, permission_server
from tests.support.talking import HANDLER, on_a_terminal
from tests.support.tmux import Terminal, terminal

ALLOWED_SEQUENCES = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])")


@pytest.fixture
def server() -> Iterator[PermissionServer]:
    with permission_server() as started:
        yield started


def open_handler(window: Terminal, server: PermissionServer) -> None:
    window.command([*HANDLER, "--port", str(server.port)])
    window.wait_for("Nothing waits")


@pytest.fixture(params=[(80, 24), (40, 15)], ids=str)
def window(request: pytest.FixtureRequest, server: PermissionServer, home: Path) -> Iterator[Terminal]:
    """A terminal of each size with the handler in it."""
    width, height = request.param
    with terminal(home, width, height) as opened:
        open_handler(opened, server)
        yield opened


@pytest.fixture
def wide(server: PermissionServer, home: Path) -> Iterator[Terminal]:
    with terminal(home) as opened:
        open_handler(opened, server)
        yield opened


def look() -> None:
    time.sleep(SETTLE + 0.1)


def test_allowing(server: PermissionServer, window: Terminal) -> None:
    asked = server.ask("Bash", {"command": "touch x; echo hi", "description": "d"})
    window.wait_for(r"^  touch x; echo hi$")
    window.wait_for(r"^ Permission .*0:5\d left$")
    look()
    window.keys("a")
    window.wait_for(r"Allowed: Bash: touch x")
    window.wait_for("^ Nothing waits")
    assert asked.result(5).allowed
    window.keys("q")
    window.wait_for(r"^EXIT=0$")


def test_denying_with_a_message(server: PermissionServer, window: Terminal) -> None:
    asked = server.ask("Write", {"file_path": "/x", "content": "a\nb"})
    window.wait_for(r"^\+ b$")
    window.keys("d")
    window.wait_for(r"Why\?")
    window.type("not as it is, Q a s")
    window.wait_for(r"^not as it is, Q a s$")
    window.keys("Enter")
    window.wait_for("Denied: Write: /x")
    assert asked.result(5).message == "not as it is, Q a s"


def test_denying_without_one_and_thinking_better_of_it(server: PermissionServer, wide: Terminal) -> None:
    asked = server.ask("Bash", {"command": "one"})
    wide.wait_for("^  one$")
    wide.keys("d")
    wide.wait_for(r"Why\?")
    wide.keys("Escape")
    wide.wait_until_gone(r"Why\?")
    assert not asked.done()
    wide.keys("d")
    wide.wait_for(r"Why\?")
    wide.keys("Enter")
    wide.wait_for("Denied: Bash: one")
    assert asked.result(5).message is None


def test_allowing_for_the_session(server: PermissionServer, window: Terminal) -> None:
    asked = server.ask("Bash", {"command": "one"})
    window.wait_for("^  one$")
    look()
    window.keys("s")
    window.wait_for("Allowed for this session")
    assert asked.result(5).remember == "session"
    assert server.ask("Bash", {"command": "one"}).result(5).allowed


def test_editing(server: PermissionServer, window: Terminal) -> None:
    asked = server.ask("Bash", {"command": "one"})
    window.wait_for("^  one$")
    window.keys("e")
    window.wait_for(r'^  "command": "one"')
    window.keys("Down", "End", "BSpace")
    window.type(" two")
    window.keys("C-s")
    window.wait_for(r"^ Line 2, column \d+: Invalid control")
    # what was written stays through an Escape
    window.keys("Escape")
    window.wait_for("^ a allow")
    window.keys("e")
    window.wait_for(r'^  "command": "one two')
    window.keys("Down", "End")
    window.type('"')
    window.keys("C-s")
    window.wait_for("Allowed, with an edited in")
    assert asked.result(5).updated_input == {"command": "one two"}


def test_two_in_the_queue(server: PermissionServer, window: Terminal) -> None:
    first = server.ask("Bash", {"command": "one"})
    second = server.ask("Bash", {"command": "two"})
    window.wait_for("Permission 1 of 2")
    window.keys("n")
    window.wait_for("^  two$")
    window.wait_for("Permission 2 of 2")
    window.keys("a")
    window.wait_for("Allowed: Bash: two")
    window.wait_for("^  one$")
    assert second.result(5).allowed
    assert not first.done()
    look()
    window.keys("q")
    window.wait_for("1 request waits on")
    window.wait_for(r"EXIT=0$")
    assert len(server.pending()) == 1


def test_what_has_just_come_cannot_be_allowed(server: PermissionServer, wide: Terminal) -> None:
    first = server.ask("Bash", {"command": "one"})
    second = server.ask("Bash", {"command": "two"})
    wide.wait_for("Permission 1 of 2")
    look()
    wide.keys("a", "a", "a")
    assert first.result(5).allowed
    wide.wait_for("^  two$")
    assert not second.done()
    look()
    wide.keys("a")
    assert second.result(5).allowed


def test_decided_elsewhere(server: PermissionServer, window: Terminal) -> None:
    server.ask("Bash", {"command": "one"})
    window.wait_for("^  one$")
    server.respond(server.pending()[0].id, False)
    window.wait_for("Denied elsewhere: Bash: one")
    window.wait_for("^ Nothing waits")


def test_one_that_expires_while_somebody_writes(home: Path) -> None:
    with permission_server(timeout_seconds=5) as server, terminal(home) as window:
        open_handler(window, server)
        server.ask("Bash", {"command": "one"})
        window.wait_for("^  one$")
        window.keys("d")
        window.wait_for(r"Why\?")
        time.sleep(2)
        second = server.ask("Bash", {"command": "two"})
        window.wait_for("Expired, nobody answered in time: Bash: one")
        window.wait_for("What you wrote was not sent.")
        # the rest of the sentence: keys that would allow
        window.type("a s a")
        time.sleep(0.3)
        assert not second.done()
        window.keys("Enter")
        window.wait_for("^  two$")
        window.wait_for(r"0:0\d left|expires now")
        window.wait_for("Expired, nobody answered in time: Bash: two")


def test_a_long_one_scrolls(server: PermissionServer, window: Terminal) -> None:
    server.ask("Write", {"file_path": "/x", "content": "\n".join(f"line {n}" for n in range(200))})
    window.wait_for("of 202")
    window.wait_for(r"^\+ line 0$")
    window.keys("Space")
    window.wait_until_gone(r"^\+ line 0$")
    window.keys("G")
    window.wait_for(r"^\+ line 199$")
    window.keys("PageUp", "Up")
    window.wait_until_gone(r"^\+ line 199$")
    window.keys("g")
    window.wait_for(r"^\+ line 0$")
    window.keys("j")
    window.wait_for(r"2-\d+ of 202")


def test_a_diff_in_colours(server: PermissionServer, wide: Terminal) -> None:
    server.ask("Edit", {"file_path": "/x", "old_string": "a\nb", "new_string": "a\nc"})
    wide.wait_for(r"^  a\n- b\n\+ c$")
    assert re.search(r"\x1b\[(?:0;)?31m- b", wide.colours)
    assert re.search(r"\x1b\[(?:0;)?32m\+ c", wide.colours)


def test_help(window: Terminal) -> None:
    window.keys("?")
    window.wait_for(r"^ Help")
    window.keys("q")
    window.wait_for("^ Nothing waits")


def test_another_size(server: PermissionServer, wide: Terminal) -> None:
    server.ask("Bash", {"command": "x" * 60})
    wide.wait_for(f"^  {'x' * 60}$")
    wide.resize(40, 15)
    wide.wait_for(f"^  {'x' * 38}\n↪ {'x' * 22}$")
    assert wide.rows[-1] == " ? help  q quit"
    wide.resize(20, 5)
    wide.wait_for(f"^  {'x' * 18}$")
    wide.resize(100, 30)
    wide.wait_for(f"^  {'x' * 60}$")
    assert len(wide.rows) == 30


def test_the_server_goes_and_comes_back(server: PermissionServer, window: Terminal) -> None:
    server.ask("Bash", {"command": "one"})
    window.wait_for("^  one$")
    server.stop()
    window.wait_for("^ The proxy .*")
    server.start()
    window.wait_until_gone("^ The proxy .*")
    server.ask("Bash", {"command": "two"})
    window.wait_for("^  two$")
    window.keys("q")
    window.wait_for("EXIT=0")


def test_nothing_can_be_answered_without_a_connection(server: PermissionServer, wide: Terminal) -> None:
    server.ask("Bash", {"command": "one"})
    wide.wait_for("^  one$")
    # as when the network goes, rather than the server: nobody says that the request is gone
    server.stop(tells=False)
    wide.wait_for("^ The proxy .*Trying again")
    look()
    wide.keys("a")
    wide.wait_for("Not connected: your answer would not arrive.")
    server.start()


@pytest.mark.parametrize("how", ["q", "C-c", "TERM"])
def test_the_terminal_is_as_it_was(server: PermissionServer, home: Path, how: str) -> None:
    with terminal(home) as window:
        window.wait_for(r"^\$\s*\Z")
        window.type("stty -a > before")
        window.keys("Enter")
        window.wait_for(r"before\n\$\s*\Z")
        open_handler(window, server)
        assert window.shown("alternate_on") == "1"
        if how == "TERM":
            window.terminate("permission-handler")
        else:
            window.keys(how)
        window.wait_for(r"^EXIT=0\n\$\s*\Z")
        assert (window.shown("alternate_on"), window.shown("cursor_flag")) == ("0", "1")
        window.type("stty -a > after")
        window.keys("Enter")
        deadline = time.monotonic() + 5
        while not (home / "after").exists() or not (home / "after").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert (home / "after").read_text() == (home / "before").read_text()


def test_ctrl_c_while_writing_quits(server: PermissionServer, wide: Terminal) -> None:
    server.ask("Bash", {"command": "one"})
    wide.wait_for("^  one$")
    wide.keys("e")
    wide.wait_for("Ctrl-S")
    wide.keys("C-c")
    wide.wait_for("^EXIT=0$")
    assert len(server.pending()) == 1


EVIL = "\x1b]0;pwned\x07\x1b[2J\x1b[1;1Hpwned\x9b31m\r\x08\x1bP1$r\x1b\\\u202e\x1b[?1049l\x0e\x1b[6n"


def test_a_request_cannot_draw(server: PermissionServer, home: Path) -> None:
    """Every byte that the terminal gets is looked at."""
    with on_a_terminal(home, "--port", str(server.port), term="xterm-256color") as talk:
        talk.wait_for("Nothing waits")
        begun = len(talk.raw)
        for tool in ("Bash", "Edit", "Write", EVIL):
            key = {"Bash": "command", "Edit": "old_string", "Write": "content"}.get(tool, EVIL)
            asked = server.ask(tool, {key: EVIL, "new_string": EVIL}, session=EVIL, cwd=EVIL)
            talk.wait_for("pwned", begun)
            # into the editor and back, then away with it
            talk.type("e")
            talk.wait_for("Ctrl-S")
            talk.type("\x1b")
            time.sleep(0.3)
            talk.type("d")
            time.sleep(0.2)
            talk.type("\r")
            asked.result(5)
        talk.wait_for("Denied", begun)
        talk.type("q")
        assert talk.end() == 0
        raw = talk.raw
    assert "\x9b" not in raw.decode()
    assert "\u202e" not in raw.decode()
    left = ALLOWED_SEQUENCES.sub(b"", raw)
    assert b"\x1b" not in left
    # a backspace alone is the library's way to move the cursor
    assert b"\r\x08\x1b" not in raw
    assert not re.search(rb"[\x00-\x06\x0b\x0c\x0e-\x1f\x7f]", left)
    # no question to the terminal, and only one way out of the other screen
    assert b"\x1b[6n" not in raw
    assert raw.count(b"\x1b[?1049l") == 1
    assert b"\x1b[31m" not in raw


def test_into_the_background_and_back(server: PermissionServer, wide: Terminal) -> None:
    wide.keys("C-z")
    wide.wait_for(r"Stopped(.*\n)+\$\s*\Z")
    wide.type("fg")
    wide.keys("Enter")
    wide.wait_for("^ Nothing waits")
    server.ask("Bash", {"command": "one"})
    wide.wait_for("^  one$")
