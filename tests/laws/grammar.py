"""The grammars of streams, checked: neutral events, and what a client of each format reads."""

import json
from collections.abc import Iterable
from typing import Any

from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Ping,
    Sealed,
    Started,
    UsageSeen,
)
from ccproxy.conversation.parts import Wire
from ccproxy.formats.sse import Reader


def check_events(events: Iterable[Event]) -> Finished | Failed:
    """The grammar of `ccproxy.conversation.events`; gives the terminal event of a stream that is over."""
    block: BlockStarted | None = None
    started = sealed = False
    end: Finished | Failed | None = None
    for event in events:
        assert end is None, f"{event} after the end"
        match event:
            case Started():
                assert not started
                started = True
            case BlockStarted():
                assert started
                assert block is None
                assert event.kind != "tool_call" or (event.id and event.name)
                block, sealed = event, False
            case Delta():
                assert block is not None
                assert event.text
                assert not sealed
            case Sealed():
                assert block is not None
                assert block.kind == "reasoning"
                assert not sealed
                sealed = True
            case BlockEnded():
                assert block is not None
                block = None
            case Ping() | UsageSeen():
                assert started
            case Finished():
                assert started
                assert block is None
                end = event
            case Failed():
                end = event
    assert end is not None, "no terminal event"
    return end


def check_client_stream(wire: Wire, stream: bytes) -> str:
    """What a client of this format must be able to rely on; gives its last word: `end`, `error`."""
    said = [event.data for event in Reader().feed(stream)]
    # the reader passes over what is no whole event: nothing may stand after the last blank line
    assert stream.endswith(b"\n\n") or not stream
    match wire:
        case "anthropic":
            return _check_messages([json.loads(data) for data in said])
        case "chat":
            return _check_chunks(said)
        case "responses":
            return _check_responses([json.loads(data) for data in said])


def _check_messages(events: list[dict[str, Any]]) -> str:
    kinds = [event["type"] for event in events]
    if kinds[-1] == "error":
        kinds.pop()
        events = events[:-1]
        outcome = "error"
    else:
        assert kinds[-2:] == ["message_delta", "message_stop"]
        outcome = "end"
    assert kinds.count("message_start") == (1 if kinds else 0)
    assert not kinds or kinds[0] == "message_start"
    for kind in ("message_delta", "message_stop"):
        assert kinds.count(kind) == (1 if outcome == "end" else 0)
    is_open = _check_blocks([event for event in events if event["type"].startswith("content_block")])
    assert outcome == "error" or not is_open
    return outcome


_DELTAS = {
    "text": {"text_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set[str](),
    "tool_use": {"input_json_delta"},
}


def _check_blocks(events: list[dict[str, Any]]) -> bool:
    """One open block at a time, numbered 0, 1, 2 …; whether the last one was left open.

    That is how Anthropic's servers break off, and right: a call that is cut short must not look whole.
    """
    following, block = 0, ""
    for event in events:
        assert event["index"] == following
        match event["type"]:
            case "content_block_start":
                assert not block
                block = event["content_block"]["type"]
            case "content_block_delta":
                assert event["delta"]["type"] in _DELTAS[block]
            case "content_block_stop":
                assert block
                block = ""
                following += 1
    return bool(block)


def _check_chunks(said: list[str]) -> str:
    chunks = [json.loads(data) for data in said if data != "[DONE]"]
    if said[-1] != "[DONE]":
        assert "error" in chunks.pop()
        outcome = "error"
    else:
        outcome = "end"
    assert said.count("[DONE]") == (1 if outcome == "end" else 0)
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    reasons = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    assert len(reasons) == (1 if outcome == "end" else 0)
    assert not reasons or choices[-1]["finish_reason"]
    roles = [choice["delta"]["role"] for choice in choices if "role" in choice["delta"]]
    assert roles == (["assistant"] if choices else [])
    assert not choices or "role" in choices[0]["delta"]
    arguments = _check_calls(call for one in choices for call in one["delta"].get("tool_calls", ()))
    assert outcome == "error" or all(arguments)
    return outcome


def _check_calls(calls: Iterable[dict[str, Any]]) -> list[str]:
    """A call begins with its id and its name, the next index, and is over when the next one begins.

    Gives the arguments of each function: a client parses them, so there have to be some.
    """
    arguments: list[str] = []
    for call in calls:
        if "id" in call:
            assert call["index"] == len(arguments)
            # an upstream's junk may have an empty name; there is no better one
            assert isinstance(call[call["type"]]["name"], str)
            arguments.append("")
        assert call["index"] == len(arguments) - 1
        arguments[-1] += call.get("function", {}).get("arguments", "")
    return arguments


def _check_responses(events: list[dict[str, Any]]) -> str:
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    terminals = {"response.completed", "response.incomplete", "response.failed", "error"}
    assert [kind for kind in kinds if kind in terminals] == kinds[-1:]
    if kinds[-1] == "error":
        assert len(kinds) == 1
        return "error"
    assert kinds[:2] == ["response.created", "response.in_progress"]
    done = _check_items(events[2:-1], failed=kinds[-1] == "response.failed")
    assert events[-1]["response"]["output"] == done
    return "error" if kinds[-1] == "response.failed" else "end"


def _check_items(events: list[dict[str, Any]], failed: bool) -> list[Any]:
    """Items one after the other, their parts one after the other; gives the items as they were done.

    A response that failed may leave its last item open.
    """
    done: list[Any] = []
    item = ""
    parts, open_part = 0, False
    for event in events:
        kind = event["type"]
        assert event["output_index"] == len(done)
        if kind == "response.output_item.added":
            assert not item
            item, parts, open_part = event["item"]["id"], 0, False
            continue
        assert item
        if kind == "response.output_item.done":
            assert event["item"]["id"] == item
            assert event["item"].get("arguments") != ""
            assert not open_part
            assert len(event["item"].get("content", ())) == parts
            item = ""
            done.append(event["item"])
            continue
        assert event["item_id"] == item
        if "content_index" in event:
            assert event["content_index"] == parts
            assert open_part == (kind != "response.content_part.added")
            open_part = kind != "response.content_part.done"
            parts += kind == "response.content_part.done"
    assert failed or not item
    return done
