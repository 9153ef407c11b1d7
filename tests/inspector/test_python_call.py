"""The program is run with the real SDK, and what arrives is what was sent."""

import ast
import base64
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.parts import Wire
from ccproxy.inspector.python_call import SDKS, literal, python_text
from ccproxy.inspector.sent import sent
from tests.support.processes import Simulator, clean_environment

SAID = 'it\'s "quoted" \\ {braces}\n漢 \x00 ' + "sim:text hello"
TURNS = [{"role": "user", "content": [{"type": "text", "text": SAID}]}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/messages?beta=true": {
        **{"model": "claude-opus-4-8", "max_tokens": 32000, "system": "Be brief.", "messages": TURNS},
        **{"metadata": {"user_id": None}, "context_management": {"edits": []}},
    },
    "/openai/v1/chat/completions": {
        **{"model": "gpt-5.5", "messages": TURNS, "store": False},
        "prompt_cache_key": "k",
    },
    "/openai/v1/responses": {"model": "gpt-5.5", "input": SAID, "store": False, "truncation": "auto"},
}
HEADERS = [
    ("content-type", "application/json"),
    ("anthropic-version", "2023-06-01"),
    ("anthropic-beta", "context-management-2025-06-27"),
]
KEYS = {"ANTHROPIC_API_KEY": "sk-ant-api03-mine", "OPENAI_API_KEY": "sk-mine"}


@pytest.mark.parametrize(
    ("path", "stream"), [(path, index % 2 == 1) for index, path in enumerate([*BODIES, *list(BODIES)[:1]])]
)
def test_it_sends_the_same_again(home: Path, simulator: Simulator, path: str, stream: bool) -> None:
    body = {**BODIES[path], "stream": stream}
    headers = HEADERS if "messages" in path else HEADERS[:1]
    simulator.clear()
    text = python_text(sent("POST", simulator.url + path, headers, json.dumps(body).encode()))
    done = subprocess.run(
        [sys.executable, "-c", text],
        env=clean_environment(home, KEYS),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (entry,) = simulator.requests()
    assert json.loads(base64.b64decode(str(entry["body"]))) == body
    assert entry["path"] == path
    arrived = dict(entry["headers"])  # type: ignore[call-overload]
    assert (arrived.get("anthropic-beta") or HEADERS[2][1]) == HEADERS[2][1]
    assert done.stdout


@pytest.mark.parametrize("wire", SDKS)
def test_the_fields_are_the_sdks_own(wire: Wire) -> None:
    sdk = SDKS[wire]
    client: Any = anthropic.Anthropic(api_key="x") if wire == "anthropic" else openai.OpenAI(api_key="x")
    method = client
    for name in sdk.method.split("."):
        method = getattr(method, name)
    assert sdk.fields <= set(inspect.signature(method).parameters)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
def test_a_value_is_what_python_reads(value: Any) -> None:
    assert ast.literal_eval(literal(value, 4)) == value


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/messages/count_tokens", b"{}"), ("/v1/models", b"{}"), ("/v1/messages", b"[]")]
)
def test_what_has_no_method(path: str, body: bytes) -> None:
    with pytest.raises(ValueError):
        python_text(sent("POST", f"https://a{path}", [], body))


def test_a_subscription_and_what_was_hidden() -> None:
    beta = [("anthropic-beta", "oauth-2025-04-20")]
    body = b'{"model":"m","mcp_servers":[{"authorization_token":"hush"}]}'
    text = python_text(sent("POST", "https://a/v1/messages", beta, body))
    assert 'auth_token=os.environ["ANTHROPIC_AUTH_TOKEN"]' in text
    assert "# [hidden] stands for credentials" in text
    assert "hush" not in text
    url = "https://chatgpt.com/backend-api/codex/responses"
    assert '"chatgpt-account-id": os.environ["CHATGPT_ACCOUNT_ID"]' in python_text(
        sent("POST", url, [], b"{}")
    )
