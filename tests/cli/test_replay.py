"""`ccproxy replay` as a command; `addons/test_replaying.py` asks its server."""

import re
import signal
from pathlib import Path

import httpx
import pytest

from ccproxy.records.cassette import Recorded
from tests.support.tapes import NO_UPSTREAM, cassette_with, ccproxy, replaying, running_tape

ONE = Recorded(
    "messages",
    "/api/v1/messages",
    200,
    [(0.0, '{"n": 1}'), (1.5, "\n")],
    {"model": "m", "messages": []},
    {},
    {"content-type": "application/json"},
)


@pytest.fixture
def cassette(home: Path) -> Path:
    return cassette_with(home, ONE)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        ("{}", "is no cassette"),
        ('{"ccproxy_cassette": 1}\n{', "line 2"),
    ],
)
def test_a_file_that_cannot_be_played(home: Path, content: str | None, said: str) -> None:
    path = home / "broken"
    if content is not None:
        path.write_text(content)
    done = ccproxy(home, "replay", str(path), "--", "true")
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


@pytest.mark.parametrize("options", [["--json"], ["--request", "1"]])
def test_options_that_belong_to_another(home: Path, cassette: Path, options: list[str]) -> None:
    done = ccproxy(home, "replay", str(cassette), *options)
    assert done.returncode == 2
    assert "belong to --against" in done.stderr


@pytest.mark.parametrize(
    "options",
    [["--in-time"], ["--base-url"], ["--port", "0"], ["--", "true"]],
    ids=lambda options: options[-1],
)
def test_options_that_do_not_go_with_another(home: Path, cassette: Path, options: list[str]) -> None:
    done = ccproxy(home, "replay", str(cassette), "--against", "api", *options)
    assert done.returncode == 2
    assert "leave CLIENT" in done.stderr


def test_the_server_says_what_it_plays_and_asks_for_no_credential(home: Path, cassette: Path) -> None:
    with replaying(home, cassette) as proxy:
        proxy.process.wait_for(re.escape(f"{cassette} (answers)"))
        assert "warning" not in proxy.process.output
        proxy.process.child.send_signal(signal.SIGINT)
        assert proxy.process.child.wait(10) == 0


def test_in_time(home: Path, cassette: Path) -> None:
    with running_tape(home, "replay", cassette, "--in-time", settings=NO_UPSTREAM) as proxy:
        answer = httpx.post(f"{proxy.url}/api/v1/messages", json=ONE.request, trust_env=False)
    assert answer.text == ONE.body
    assert answer.elapsed.total_seconds() >= 1.5


def test_a_client_and_what_became_of_it(home: Path, cassette: Path) -> None:
    ask = """curl -sS "$ANTHROPIC_BASE_URL/v1/messages" -d '{"model": "%s", "messages": []}'"""
    done = ccproxy(home, "replay", str(cassette), "--base-url", "--", "sh", "-c", ask % "m")
    assert (done.returncode, done.stdout) == (0, ONE.body)
    assert done.stderr.endswith(f"ccproxy: 0 requests without an answer in {cassette}\n")
    done = ccproxy(home, "replay", str(cassette), "--base-url", "--", "sh", "-c", f"{ask % 'n'}; exit 3")
    assert done.returncode == 3
    assert "no_recording" not in done.stdout
    assert f"ccproxy: 1 request without an answer in {cassette}. The first: " in done.stderr
    assert done.stderr.endswith('recorded -> asked:\n    model: "m" -> "n"\n')
