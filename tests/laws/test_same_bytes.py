"""Laws: the same history gives the same bytes, and a longer one begins with the bytes of the shorter.

Providers cache prompts by their beginning: a request that changes what was said before pays for it again.
"""

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.translation import CODECS
from tests.laws.conversations import Conversation, body, conversations, odd_names
from tests.laws.pace import examples
from tests.laws.streams import PAIRS, WIRES
from tests.laws.translations import translated
from tests.support.processes import ROOT

HISTORY = {"anthropic": "messages", "chat": "messages", "responses": "input"}

ODD: JsonObject = {
    "model": "asked",
    "messages": [
        {"role": "user", "content": "größe?"},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": call_id, "type": "function", "function": {"name": name, "arguments": '{"b":1,"a":2}'}}
                for call_id, name in (("a:1", "a.b"), ("a:2", "a_b"), ("a:3", "x" * 90))
            ],
        },
        {"role": "tool", "tool_call_id": "a:2", "content": "two"},
    ],
    "tools": [
        {"type": "function", "function": {"name": name}} for name in ("a.b", "a_b", "x" * 90, "x" * 91)
    ],
    "metadata": {"b": "1", "a": "2"},
    "logit_bias": {"9": 1},
    "seed": 1,
}
"""A request in which everything has to be renamed, repaired or left out."""


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(conversation=conversations(odd_names()))
@examples(10)
def test_twice_the_same(client: Wire, upstream: Wire, conversation: Conversation) -> None:
    first = translated(body(client, conversation), client, upstream)
    assert translated(body(client, conversation), client, upstream) == first


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(conversation=conversations(odd_names()), data=st.data())
@examples(20)
def test_a_longer_history_begins_with_the_shorter(
    client: Wire, upstream: Wire, conversation: Conversation, data: st.DataObject
) -> None:
    """Where the user speaks on: calls name declared tools, as those of a history that only grows do."""
    shorter = conversation.until(data.draw(st.sampled_from(conversation.pauses)))
    short, long = (
        json.loads(translated(body(client, c), client, upstream).body) for c in (shorter, conversation)
    )
    field = HISTORY[upstream]
    assert long[field][: len(short[field])] == short[field]
    assert {key: value for key, value in short.items() if key != field} == {
        key: value for key, value in long.items() if key != field
    }
    assert list(short) == list(long)


@pytest.mark.parametrize("seed", ["1", "4711"])
def test_another_process_gives_the_same_bytes(seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", f"from {__name__} import digest; print(digest())"]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == digest()


def digest() -> str:
    """Of every translation of the request above, on every way: first into a format, then out of it."""
    found = hashlib.sha256()
    for middle in WIRES:
        first: Any = ODD if middle == "chat" else json.loads(translated(ODD, "chat", middle).body)
        for upstream in WIRES:
            translation = translated(first, middle, upstream)
            found.update(translation.body + repr(translation.losses).encode())
            found.update(repr(sorted(translation.names.original.items())).encode())
    return found.hexdigest()


def test_every_format_has_its_codec() -> None:
    assert set(CODECS) == set(WIRES)
