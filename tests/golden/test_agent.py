"""What Claude Code's lines become is what it was when somebody last read it, and the SDK can read it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2
import pytest

from ccproxy.agent.answer import Answer
from ccproxy.conversation.events import Finished
from ccproxy.conversation.parts import JsonObject
from tests.agent.said import check, collected, sse
from tests.formats.anthropic.judges import events_of
from tests.golden.agent_cases import HERE, AgentCase, agent_cases, answers, read
from tests.laws.grammar import check_events

each = pytest.mark.parametrize("case", agent_cases(), ids=lambda case: case.name)


@each
def test_the_answers(case: AgentCase) -> None:
    assert answers(case) == case.expected.read_text()
    json.loads(answers(case))


def test_nothing_is_left_over() -> None:
    assert {case.expected for case in agent_cases()} == set(HERE.glob("*.to-*"))
    assert len(agent_cases()) >= 4 * 15


def test_every_kind_of_line_is_among_them() -> None:
    lines = [json.loads(line) for line in (HERE / "everything.jsonl").read_text().splitlines()]
    kinds = {line["subtype"] if line["type"] == "system" else line["type"] for line in lines}
    assert kinds >= {
        *("init", "status", "thinking_tokens", "api_retry", "hook_started", "hook_response"),
        *("task_started", "task_notification", "compact_boundary", "stream_event", "assistant", "user"),
        *("rate_limit_event", "conversation_reset", "something_new", "result"),
    }


@each
def test_the_events_keep_the_grammar(case: AgentCase) -> None:
    for answer, events in read(case):
        check(answer, events)


@contextmanager
def client(events: list[JsonObject]) -> Iterator[anthropic.Anthropic]:
    """An SDK whose server answers with these events."""
    stream = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=stream, content=sse(events)))
    with anthropic.Anthropic(
        api_key="k",
        base_url="http://127.0.0.1:1",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
    ) as made:
        yield made


def whole_answers(case: AgentCase) -> Iterator[tuple[Answer, list[JsonObject]]]:
    return ((answer, events) for answer, events in read(case) if answer.ended and answer.failure is None)


@each
def test_the_sdk_reads_them(case: AgentCase) -> None:
    """Both helpers find the message that a client gets who does not stream."""
    asked: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    for _, events in whole_answers(case):
        message = collected(events)
        with client(events) as sdk:
            with sdk.messages.stream(**asked) as plain:
                # outside `beta`, blocks of the MCP connector have no types and are kept as they are
                same(plain.get_final_message().model_dump(mode="json", warnings=False), message)
            with sdk.beta.messages.stream(**asked) as beta:
                same(beta.get_final_message().model_dump(mode="json"), message)


def same(read_by_sdk: JsonObject, message: JsonObject) -> None:
    for name in ("id", "model", "role", "stop_reason", "stop_sequence"):
        assert read_by_sdk[name] == message[name]
    for tokens in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
        assert read_by_sdk["usage"][tokens] == message["usage"][tokens]
    assert of_the_shape_of(message["content"], read_by_sdk["content"]) == message["content"]


def of_the_shape_of(expected: Any, found: Any) -> Any:
    """What was found, without the fields that the SDK adds with no value."""
    match expected, found:
        case dict(), dict():
            return {name: of_the_shape_of(expected.get(name), found[name]) for name in expected}
        case list(), list():
            return [of_the_shape_of(*pair) for pair in zip(expected, found, strict=True)]
    return found


@each
def test_our_own_decoder_reads_them(case: AgentCase) -> None:
    for _, events in whole_answers(case):
        assert isinstance(check_events(events_of(sse(events))), Finished)
