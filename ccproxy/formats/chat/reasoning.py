"""Reasoning in Chat Completions, which has no place for it of its own.

Three extensions are in use: the text as `reasoning_content`, the seals as entries of `reasoning_details`,
and, for clients that know neither, the text in tags before the answer.
"""

import re
from collections.abc import Iterator

from ccproxy.conversation.parts import JsonObject, Reasoning, Seal
from ccproxy.formats.carrier import pack, unpack

DETAIL = "ccproxy.reasoning"
"""The `type` of our own entries in `reasoning_details`."""

OPEN_TAG, CLOSE_TAG = "<reasoning>", "</reasoning>\n\n"
_TAGGED = re.compile(r"<reasoning>(.*?)</reasoning>\n{0,2}", re.DOTALL)


def detail(seal: Seal, text: str, index: int) -> JsonObject:
    """The entry that brings a seal back; `index` counts the entries of one answer."""
    return {"type": DETAIL, "format": seal.provider, "data": pack(seal, text), "index": index}


def carried(message: JsonObject) -> Iterator[Reasoning]:
    """The sealed reasoning of a message or delta, in its order; entries of others are passed over."""
    details = message.get("reasoning_details")
    for entry in details if isinstance(details, list) else ():
        match entry:
            case {"type": "ccproxy.reasoning", "data": str(data)} if unpacked := unpack(data):
                yield Reasoning(unpacked[1], unpacked[0])


def thoughts(message: JsonObject) -> tuple[Reasoning, ...]:
    """The reasoning of a whole message: sealed if it has seals, else as text without one.

    The carriers of OpenAI's seals have no text: what there is goes with the first of them.
    """
    sealed, text = tuple(carried(message)), said(message)
    if not sealed:
        return (Reasoning(text),) if text else ()
    if any(thought.text for thought in sealed):
        return sealed
    return (Reasoning(text, sealed[0].seal), *sealed[1:])


def said(message: JsonObject) -> str:
    """The reasoning of a message or delta as text, under whichever of its names."""
    for name in ("reasoning_content", "reasoning"):
        if isinstance(text := message.get(name), str):
            return text
    details = message.get("reasoning_details")
    entries = [entry for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    texts = (entry.get("text") or entry.get("summary") for entry in entries if entry.get("type") != DETAIL)
    return "".join(text for text in texts if isinstance(text, str))


def without_tags(text: str) -> tuple[tuple[Reasoning, ...], str]:
    """What the tags at the start of an assistant's text hold, and the text after them."""
    found: list[Reasoning] = []
    while match := _TAGGED.match(text):
        found.append(Reasoning(match[1]))
        text = text[match.end() :]
    return tuple(found), text
