"""Where a request of the Codex CLI carries the CLI's own prompt. Pure.

Measured 2026-11-22 with Codex CLI 0.45 to 0.169: up to 0.140 it is the field `instructions`. Newer ones have
no such field for most models: the prompt is the first message of `input`, by the developer. What the CLI adds
for the occasion (permissions, skills, modes) also comes in developer messages, but each in a tag of its own;
environment and AGENTS.md come in user messages, and tools in an item that is no message.
"""

import re
from dataclasses import dataclass
from typing import Literal

from ccproxy.conversation.parts import JsonObject

Place = Literal["instructions", "developer message"]

_TAGGED = re.compile(r"\s*<([A-Za-z][\w-]*)\b[^>]*>.*</\1\b[^>]*>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text, and where it stood."""

    text: str
    place: Place


def prompt_of(body: JsonObject) -> Prompt | None:
    """The prompt in the body of a Responses request; None when it is in neither place."""
    instructions = body.get("instructions")
    if isinstance(instructions, str) and instructions:
        return Prompt(instructions, "instructions")
    message = _first_message(body.get("input"))
    if message is None or message.get("role") != "developer":
        return None
    texts = _texts(message.get("content"))
    if not texts or _TAGGED.fullmatch(texts[0]):
        return None
    text = "".join(text for text in texts if not _TAGGED.fullmatch(text))
    return Prompt(text, "developer message") if text.strip() else None


def _first_message(items: object) -> JsonObject | None:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and item.get("type", "message") == "message":
            return item
    return None


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if part.get("type") == "input_text"]
    return [text for text in texts if isinstance(text, str)]
