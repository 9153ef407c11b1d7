import io
import json
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from rich.console import Console

from ccproxy.cli.quota import NOTHING, colour, fetch, overview, reset, spoken
from ccproxy.cli.running import NoAnswerError
from tests.conftest import Proxies
from tests.support.processes import BIN, Proxy, clean_environment, free_port, started
from tests.support.sockets import port_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUOTA = [str(BIN / "ccproxy"), "quota"]
ON_A_PLAN = {"CLAUDE__API_KEY": "sk-ant-oat01-of-the-proxy"}
ASK = {"model": "claude-opus-4-8", "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}]}
VERSION = {"anthropic-version": "2023-06-01"}


def in_words(seen: dict[str, Any], *, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system=None)
    # a StringIO has no encoding, and rich then takes UTF-8
    console.print(overview(seen, NOW, console))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def window(name: str, used: float | None, hours: float | None = None, **more: Any) -> dict[str, Any]:
    resets_at = None if hours is None else (NOW + timedelta(hours=hours)).isoformat()
    return {"name": name, "used": used, "resets_at": resets_at, "status": "allowed", **more}


def ask_quota(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*QUOTA, *arguments],
        cwd=home,
        env=clean_environment(home, environment),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def on_a_plan(proxies: Proxies) -> Proxy:
    """A proxy whose Claude is paid by a subscription, after one request."""
    proxy = proxies.get(settings=ON_A_PLAN)
    httpx.post(f"{proxy.url}/api/v1/messages", json=ASK, headers=VERSION, trust_env=False).raise_for_status()
    return proxy


def test_what_a_running_server_saw(on_a_plan: Proxy, home: Path) -> None:
    done = ask_quota(home, "--json", "--url", f"{on_a_plan.url}/")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == httpx.get(f"{on_a_plan.url}/quota", trust_env=False).json()
    seen = json.loads(done.stdout)["claude"]
    assert [(w["name"], w["used"], w["status"]) for w in seen["windows"]] == [
        ("5h", 0.42, "allowed"),
        ("7d", 0.17, "allowed"),
    ]
    assert seen["binding"] == "5h"
    assert all(datetime.fromisoformat(w["resets_at"]) > datetime.now(UTC) for w in seen["windows"])


def test_asking_the_providers_first(proxies: Proxies, home: Path) -> None:
    proxy = proxies.get(settings={**ON_A_PLAN, "CODEX__AUTH_PATH": str(home / "none.json")})
    done = ask_quota(home, "--ask", "--json", "--url", proxy.url)
    assert (done.returncode, done.stderr) == (0, "")
    seen = json.loads(done.stdout)
    assert [(w["name"], w["used"]) for w in seen["claude"]["windows"]] == [("5h", 0.42), ("7d", 0.17)]
    assert (seen["codex"], seen["problems"].keys()) == (None, {"codex"})
    plain = ask_quota(home, "--ask", "--url", proxy.url)
    assert "  5h #######---------  42% in " in plain.stdout
    assert "\nCodex: There is no ChatGPT login: " in plain.stdout
    assert "problems" not in json.loads(ask_quota(home, "--json", "--url", proxy.url).stdout)


def test_plain_lines_where_no_terminal_is(on_a_plan: Proxy, home: Path) -> None:
    done = ask_quota(home, "--port", str(port_of(on_a_plan.url)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    title, five, seven, *_ = done.stdout.splitlines()
    assert title.startswith("Claude, seen ")
    assert five.startswith("* 5h #######---------  42% in ")
    assert seven.startswith("  7d ###-------------  17% in ")


def test_the_settings_say_where_and_with_which_token(proxies: Proxies, home: Path) -> None:
    proxy = proxies.get(settings={"SECURITY__AUTH_TOKEN": "t0ken"})
    port = str(port_of(proxy.url))
    done = ask_quota(home, SERVER__PORT=port, SECURITY__AUTH_TOKEN="t0ken")
    assert (done.returncode, done.stdout.strip()) == (0, NOTHING)
    refused = ask_quota(home, SERVER__PORT=port)
    assert refused.returncode == 1
    assert "security.auth_token" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_no_server(home: Path) -> None:
    port = str(free_port())
    done = ask_quota(home, "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"No ccproxy answers at http://127.0.0.1:{port}: start it with `ccproxy`, "
        "or name another with --port or --url.\n"
    )


@pytest.mark.parametrize(
    "address", ["", "http://", "nonsense", "ftp://127.0.0.1", "http://[::1", "http://a b:x"]
)
def test_an_address_that_leads_nowhere(address: str) -> None:
    with pytest.raises(NoAnswerError, match="No ccproxy answers"):
        fetch(address, None)


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"{}"), (200, b"hello"), (200, b"[1]"), (404, b'{"detail":"Not Found"}')]
)
def test_somebody_else_answers(status: int, body: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.handle_request, daemon=True)
        thread.start()
        with pytest.raises(NoAnswerError, match="no ccproxy that knows"):
            fetch(f"http://127.0.0.1:{server.server_port}", None)
        thread.join(5)


def test_mistakes_on_the_command_line(home: Path) -> None:
    both = ask_quota(home, "--port", "1", "--url", "http://127.0.0.1:1")
    assert (both.returncode, "--url has the port in it" in both.stderr) == (2, True)
    wrong = ask_quota(home, "--port", "70000")
    assert (wrong.returncode, "--port: server.port: 70000" in wrong.stderr) == (1, True)


def test_watching(proxies: Proxies, home: Path) -> None:
    proxy = proxies.get(settings={**ON_A_PLAN, "SERVER__LOG_LEVEL": "warning"})
    with started([*QUOTA, "--watch", "--url", proxy.url], home) as process:
        process.wait_for("Nothing seen yet")
        httpx.post(
            f"{proxy.url}/api/v1/messages", json=ASK, headers=VERSION, trust_env=False
        ).raise_for_status()
        process.wait_for(r"\* 5h #+-+  42% in ")


def test_both_providers_in_eighty_columns() -> None:
    seen = {
        "claude": {
            "windows": [window("5h", 0.424, 2.25), window("7d", None, 75, model="opus", status="rejected")],
            "binding": "7d_opus",
            "seen_at": NOW.isoformat(),
        },
        "codex": {
            "windows": [window("7d", 1.0, -1, model="A-Model-With-A-Name-Longer-Than-Any-Column-Can-Be")],
            "binding": None,
            "seen_at": NOW.isoformat(),
            "plan": "plus",
            "credits": {"has_credits": True, "unlimited": False, "balance": "4.25"},
        },
    }
    lines = [line.rstrip() for line in in_words(seen).splitlines()]
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Claude, seen ")
    assert lines[1].startswith("  5h      #######---------  42% in 2 h 15 min (")
    assert lines[2].startswith("* 7d opus ----------------    ? in 3 d 3 h (")
    assert lines[2].endswith(") rejected")
    assert lines[3].startswith("Codex (plus), seen ")
    assert lines[3].endswith(", credits: 4.25")
    assert "################ 100% has started anew" in lines[4]
    assert lines[5] == "* this window decides at present"


def test_a_terminal_gets_blocks() -> None:
    claude = {"windows": [window("5h", 0.5)], "binding": None, "seen_at": NOW.isoformat()}
    assert "5h ████████░░░░░░░░  50%" in in_words({"claude": claude, "codex": None}, terminal=True)


def test_nothing_seen() -> None:
    assert in_words({"claude": None, "codex": None}).split() == NOTHING.split()


def test_nobody_could_be_asked() -> None:
    seen = {"claude": None, "codex": None, "problems": {"claude": "Log in again."}}
    assert in_words(seen).split() == [*NOTHING.split(), "Claude:", "Log", "in", "again."]


def test_unlimited_credits() -> None:
    paid = {"has_credits": False, "unlimited": True, "balance": None}
    codex: dict[str, Any] = {
        "windows": [],
        "binding": None,
        "seen_at": NOW.isoformat(),
        "credits": paid,
    }
    assert in_words({"claude": None, "codex": codex}).splitlines()[0].endswith(", credits: unlimited")


def test_colours() -> None:
    assert [colour(used) for used in (None, 0.5, 0.8, 0.95)] == ["green", "green", "yellow", "red"]


def test_a_window_without_a_reset_shows_its_state() -> None:
    assert reset(window("5h", 0.5), NOW) == ""
    assert reset(window("5h", 0.5, status="allowed_warning"), NOW) == "allowed_warning"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 min"), (2700, "45 min"), (7200, "2 h 0 min"), (8000, "2 h 13 min"), (604799, "7 d 0 h")],
)
def test_lengths_of_time(seconds: int, words: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == words


def test_a_server_that_never_answers_in_http(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.close()

        thread = Thread(target=hang_up, daemon=True)
        thread.start()
        done = ask_quota(home, "--port", str(server.getsockname()[1]))
        thread.join(5)
    assert done.returncode == 1
    assert "No ccproxy answers at" in done.stderr
