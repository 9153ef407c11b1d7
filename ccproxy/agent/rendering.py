"""An earlier conversation, told to a Claude Code process that has not heard it.

A process takes turns of the user only. So what was said before goes in front of the user's new turn, as a
record of the conversation, in which images and documents stay in their places.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ccproxy.agent.history import blocks_of, joined
from ccproxy.agent.modes import readable
from ccproxy.conversation.parts import JsonObject

_INTRODUCTION = (
    "This conversation has gone on before, and here is the record of it: what the user said and what you "
    "answered, oldest first, each between {open} and {close}. It is for you to know and has been dealt with; "
    "answer what the user says after it."
)
_END = "That was the record. The user now says:"

_MEDIA = ("image", "document", "search_result")
_CALLS = ("tool_use", "mcp_tool_use", "server_tool_use")
_THOUGHTS = ("thinking", "redacted_thinking")


def render(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """The whole conversation as the content of one user turn; the last message is the user's new one.

    Empty when nothing is said at all.
    """
    *before, now = joined(messages)
    new = list(_as_said(now))
    if not before:
        return new
    tag = _tag(messages)
    pieces: list[JsonObject] = [_text(_INTRODUCTION.format(open=f"<{tag}>", close=f"</{tag}>"))]
    for turn in before:
        said = list(_as_said(turn))
        if said:
            pieces += [_text(f'<{tag} of="{_who(turn)}">'), *said, _text(f"</{tag}>")]
    return _merged([*pieces, _text(_END), *new])


def _who(turn: JsonObject) -> str:
    return "the user" if turn["role"] == "user" else "you"


def _as_said(turn: JsonObject) -> Iterator[JsonObject]:
    """Texts and media as they were, calls and results in words, thinking not at all."""
    for block in blocks_of(turn):
        match block:
            case {"type": "text", "text": str(text)}:
                yield _text(text)
            case {"type": str(kind)} if kind in _MEDIA:
                yield {name: value for name, value in block.items() if name != "cache_control"}
            case {"type": str(kind)} if kind in _CALLS:
                arguments = json.dumps(block.get("input") or {}, ensure_ascii=False)
                yield _text(f"[call {block.get('id')} of the tool {block.get('name')}: {arguments}]")
            case {"type": str(kind)} if kind.endswith("tool_result"):
                yield from _result(block)
            case {"type": str(kind)} if kind not in _THOUGHTS:
                yield _text(json.dumps(block, ensure_ascii=False))


def _result(block: JsonObject) -> Iterator[JsonObject]:
    """What came of a call: its text within brackets, its media behind."""
    content: Any = block.get("content")
    parts = content if isinstance(content, list) else []
    media = [part for part in parts if isinstance(part, dict) and part.get("type") in _MEDIA]
    said = readable(content if isinstance(content, str) else [part for part in parts if part not in media])
    text = said if isinstance(said, str) else "\n".join(one["text"] for one in said)
    kind = "error" if block.get("is_error") is True else "result"
    yield _text(f"[{kind} of the call {block.get('tool_use_id')}]\n{text}\n[end of the {kind}]")
    yield from media


def _tag(messages: Sequence[JsonObject]) -> str:
    """A tag that nothing in the conversation can close, since it stands nowhere in it."""
    everything = json.dumps(list(messages), ensure_ascii=False)
    number, tag = 1, "turn"
    while f"<{tag}" in everything or f"</{tag}" in everything:
        number += 1
        tag = f"turn-{number}"
    return tag


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _merged(pieces: Sequence[JsonObject]) -> list[JsonObject]:
    """Texts that follow one another are one block."""
    merged: list[JsonObject] = []
    for piece in pieces:
        if merged and piece["type"] == merged[-1]["type"] == "text":
            merged[-1] = _text(f"{merged[-1]['text']}\n{piece['text']}")
        else:
            merged.append(piece)
    return merged
