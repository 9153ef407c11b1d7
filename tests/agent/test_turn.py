import asyncio
from collections.abc import AsyncIterator

import pytest

from ccproxy.agent.answer import Answer
from ccproxy.agent.errors import WorkerDied
from ccproxy.agent.turn import Turn
from ccproxy.conversation.parts import JsonObject


def streamed(text: str) -> list[JsonObject]:
    """A turn of one message, as Claude Code tells it."""
    message: JsonObject = {
        "id": "msg_1",
        "model": "claude-opus-4-8",
        "content": [],
        "usage": {"input_tokens": 1},
    }
    events: list[JsonObject] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    result: JsonObject = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "usage": {},
        "result": text,
    }
    return [*({"type": "stream_event", "event": event} for event in events), result]


class Process:
    """Says these lines, then fails with `failure`, or says nothing more."""

    def __init__(self, *lines: JsonObject, failure: Exception | None = None) -> None:
        self.lines = list(lines)
        self.failure = failure
        self.interrupted = 0
        self.over: list[Turn] = []

    async def begin(self) -> None:
        await asyncio.sleep(0)

    async def line(self) -> JsonObject:
        await asyncio.sleep(0)
        if self.lines:
            return self.lines.pop(0)
        if self.failure:
            raise self.failure
        await asyncio.Event().wait()
        raise AssertionError

    async def interrupt(self) -> None:
        self.interrupted += 1

    async def was_over(self, turn: Turn) -> None:
        self.over.append(turn)

    def turn(self) -> Turn:
        answer = Answer("ignore", True, frozenset())
        return Turn(answer, self.begin, self.line, self.interrupt, self.was_over)


async def kinds(events: AsyncIterator[JsonObject | None]) -> list[str]:
    return [event["type"] if event else "silence" async for event in events]


async def test_the_events_of_an_answer() -> None:
    process = Process(*streamed("hello"))
    turn = process.turn()
    assert (await kinds(turn.events(5)))[-1] == "message_stop"
    assert turn.collector.message()["content"] == [{"type": "text", "text": "hello"}]
    assert turn.failure is None
    assert process.over == [turn]
    assert not process.interrupted


async def test_silence_is_told_again_and_again() -> None:
    turn = Process().turn()
    events = turn.events(0.01)
    assert [await anext(events), await anext(events)] == [None, None]
    turn.leave()
    await turn.task


async def test_whoever_leaves_interrupts_the_turn() -> None:
    process = Process(*streamed("hello")[:3])
    turn = process.turn()
    events = turn.events(5)
    for _ in range(3):
        await anext(events)
    turn.leave()
    await asyncio.wait_for(turn.task, 5)
    assert process.interrupted == 1
    assert process.over == [turn]
    assert turn.collector.message()["content"] == [{"type": "text", "text": "hello"}]


async def test_leaving_before_it_has_begun() -> None:
    process = Process()

    async def for_ever() -> None:
        await asyncio.Event().wait()

    process.begin = for_ever  # type: ignore[method-assign]
    turn = process.turn()
    await asyncio.sleep(0)
    turn.leave()
    await asyncio.wait_for(turn.task, 5)
    assert process.interrupted == 1


async def test_a_process_that_dies_is_a_failure_with_advice() -> None:
    process = Process(*streamed("hello")[:3], failure=WorkerDied(1))
    turn = process.turn()
    await kinds(turn.events(5))
    assert turn.failure
    assert turn.failure.status == 503
    assert process.over == [turn]


async def test_a_mistake_of_ours_is_a_failure_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    turn = Process(failure=ZeroDivisionError()).turn()
    await kinds(turn.events(5))
    assert turn.failure
    assert turn.failure.status == 500
    assert "ZeroDivisionError" in caplog.text
