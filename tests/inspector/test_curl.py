"""The command is run by sh, and what arrives is what was sent."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ccproxy.inspector.curl import curl_text
from ccproxy.inspector.sent import sent
from tests.support.processes import Simulator, clean_environment

HEADERS = [("content-type", "application/json"), ("anthropic-version", "2023-06-01"), ("x-note", "no")]
NASTY = 'it\'s $HOME `id` "quoted" \\ back\n!!\nEND\r\nEND1\x1b[0m ü 漢 %s \x00'


def run(text: str, home: Path) -> "subprocess.CompletedProcess[str]":
    environment = clean_environment(home, {"ANTHROPIC_API_KEY": "sk-ant-api03-mine"})
    return subprocess.run(
        ["sh", "-e"], input=text, env=environment, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize(("ascii_only", "indent"), [(True, None), (False, 2)])
def test_it_sends_the_same_again(
    home: Path, simulator: Simulator, ascii_only: bool, indent: int | None
) -> None:
    body: dict[str, Any] = {"model": "claude-opus-4-8", "max_tokens": 9, "system": NASTY}
    body["messages"] = [{"role": "user", "content": "sim:text hello\n" + NASTY + "x" * 200_000}]
    raw = json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode()
    simulator.clear()
    request = sent("POST", f"{simulator.url}/v1/messages?beta=true", HEADERS, raw)
    done = run(curl_text(request), home)
    assert json.loads(done.stdout)["type"] == "message"
    (entry,) = simulator.requests()
    assert base64.b64decode(str(entry["body"])).removesuffix(b"\n") == raw
    assert entry["path"] == "/v1/messages?beta=true"
    arrived = dict(entry["headers"])  # type: ignore[call-overload]
    assert (arrived["x-api-key"], arrived["anthropic-version"]) == ("sk-ant-api03-mine", "2023-06-01")
    assert "x-note" not in arrived


def test_a_line_that_would_end_the_body(home: Path) -> None:
    text = curl_text(sent("POST", "http://127.0.0.1:1/v1/x", [], b"a\nEND\nEND1\nb"))
    assert "<<'END2'" in text
    assert run(f"curl() {{ cat; }}\n{text}", home).stdout == "a\nEND\nEND1\nb\n"


def test_a_head_does_not_wait_for_a_body(home: Path, simulator: Simulator) -> None:
    text = curl_text(sent("HEAD", f"{simulator.url}/v1/models", HEADERS, b""))
    assert run(text.replace("curl ", "curl --max-time 5 ", 1), home).stdout.startswith("HTTP/1.1 ")


def test_without_a_body_and_with_what_was_hidden(home: Path, simulator: Simulator) -> None:
    text = curl_text(sent("GET", f"{simulator.url}/v1/models", HEADERS, b""))
    assert "data" in json.loads(run(text, home).stdout)
    hidden = b'{"mcp_servers":[{"authorization_token":"hush"}]}'
    text = curl_text(sent("PUT", "https://a/v1/messages", [], hidden))
    assert "hush" not in text
    assert text.startswith("# [hidden] stands for credentials")
    assert "--request PUT" in text
