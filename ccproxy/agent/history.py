"""Whether a request goes on with a conversation that we hold: fingerprints of what was said.

Clients give a history back in their own way: without the thinking, without what Claude Code did between, all
text of an answer in one piece, other white space, other ids of nothing. What counts is what was said: the
text, the media, the calls of the client's own tools and their results.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject

_REASONING = re.compile(r"<reasoning>.*?</reasoning>", re.DOTALL)
"""How a client of Chat Completions may be shown the thinking, within the text."""

_MEDIA = ("image", "document")


def joined(messages: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    """The turns: neighbours of one role are one, with their content as blocks.

    A `system` message amid the history is something that the user's side says; it goes as text of the user,
    marked as what it is.
    """
    turns: list[JsonObject] = []
    for message in messages:
        role, content = message["role"], blocks_of(message)
        if role == "system":
            role, content = "user", [_reminder(block) for block in content]
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += content
        else:
            turns.append({"role": role, "content": content})
    return tuple(turns)


def fingerprints(messages: Sequence[JsonObject]) -> tuple[str, ...]:
    """One per turn, as `joined` counts them. Raises RequestError for what is nested too deeply."""
    try:
        return tuple(_fingerprint(turn) for turn in joined(messages))
    except RecursionError:
        raise RequestError("messages", "is nested too deeply") from None


def added(held: Sequence[str], asked: Sequence[str]) -> int | None:
    """How many turns of `asked` are held already; None unless it says all of them again and then more."""
    known = len(held)
    return known if len(asked) > known and tuple(asked[:known]) == tuple(held) else None


def blocks_of(message: JsonObject) -> list[JsonObject]:
    """The content of a message as blocks; what is no block, and blank text, is left out."""
    content: Any = message.get("content")
    given = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [block for block in given or () if isinstance(block, dict) and not _is_blank(block)]


def _is_blank(block: JsonObject) -> bool:
    text = block.get("text")
    return block.get("type") == "text" and not (isinstance(text, str) and text.strip())


def _reminder(block: JsonObject) -> JsonObject:
    if block.get("type") != "text":
        return block
    return {"type": "text", "text": f"<system-reminder>\n{block['text']}\n</system-reminder>"}


def _fingerprint(turn: JsonObject) -> str:
    """Kinds of content are told apart and not their order: formats put calls behind the text."""
    texts: list[str] = []
    others: list[Any] = []
    for block in turn["content"]:
        match block:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "tool_use"}:
                others.append(["call", block.get("id"), block.get("name"), block.get("input") or {}])
            case _ if turn["role"] == "user":
                others.append(_said_by_user(block))
    words = "".join(texts)
    if turn["role"] == "assistant":
        words = _REASONING.sub("", words)
    return _digest([turn["role"], _squeezed(words), others])


def _said_by_user(block: JsonObject) -> Any:
    match block:
        case {"type": "tool_result"}:
            content = blocks_of(block)
            texts = [one["text"] for one in content if one.get("type") == "text"]
            more = [_said_by_user(one) for one in content if one.get("type") != "text"]
            return ["result", block.get("tool_use_id"), _squeezed("".join(texts)), more]
        case {"type": str(kind), "source": dict(source)} if kind in _MEDIA:
            where = (source.get("data"), source.get("url"), source.get("file_id"), source.get("content"))
            return [kind, [_squeezed(one) if isinstance(one, str) else one for one in where]]
    return {name: value for name, value in block.items() if name != "cache_control"}


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _digest(value: Any) -> str:
    # ASCII with escapes: half of a surrogate pair has no bytes of its own
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()
