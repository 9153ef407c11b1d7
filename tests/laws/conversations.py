"""Requests of clients: one conversation, written in each of the formats by hand, not by a codec."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ccproxy.conversation.parts import (
    Document,
    Image,
    JsonObject,
    Media,
    Part,
    Text,
    ToolCall,
    ToolResult,
    Wire,
)
from ccproxy.conversation.request import Tool, Turn

MODELS: dict[Wire, str] = {"anthropic": "claude-opus-4-8", "chat": "gpt-5.4", "responses": "gpt-5.4"}
"""A model of each upstream that takes all that is said here."""

OLDER: dict[Wire, str] = {"anthropic": "claude-sonnet-4-5", "chat": "gpt-4o", "responses": "gpt-4o"}
"""One that takes other things: sampling, and budgets or no reasoning at all."""

PNG = "iVBORw0KGgo="
PDF = "JVBERi0xLjcK"


@cache
def characters() -> st.SearchStrategy[str]:
    """All that UTF-8 can say."""
    return st.characters(codec="utf-8")


@cache
def texts(max_size: int = 30) -> st.SearchStrategy[str]:
    """Text that is not blank: a blank one is no content in Messages."""
    return st.text(characters(), min_size=1, max_size=max_size).filter(lambda text: bool(text.strip()))


@cache
def call_ids() -> st.SearchStrategy[str]:
    """Legal ones, and some that no other provider would take."""
    return st.from_regex(r"call_[a-zA-Z0-9]{4,20}", fullmatch=True) | st.text(
        "ab:.é/", min_size=1, max_size=80
    )


@cache
def tool_names() -> st.SearchStrategy[str]:
    return st.from_regex(r"[a-z]{2,6}(_[a-z]{2,6})?", fullmatch=True)


@cache
def odd_names() -> st.SearchStrategy[str]:
    """Names that are too long for OpenAI or illegal everywhere, and look like one another."""
    long = st.integers(40, 100).map(lambda length: "mcp__" + "server_" * 20 + "x" * length)
    return tool_names() | long | st.text("ab.é", min_size=1, max_size=6)


@cache
def json_values() -> st.SearchStrategy[Any]:
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(characters(), max_size=12)
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("abé", max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )


@cache
def arguments() -> st.SearchStrategy[JsonObject]:
    return st.dictionaries(st.sampled_from(("path", "text", "größe", "input")), json_values(), max_size=3)


@dataclass(frozen=True)
class Conversation:
    """What was said, with the tools; `params` are top-level fields of the body that all formats share."""

    turns: tuple[Turn, ...]
    system: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    params: JsonObject = field(default_factory=dict)

    def until(self, count: int) -> "Conversation":
        return Conversation(self.turns[:count], self.system, self.tools, self.params)

    @property
    def pauses(self) -> list[int]:
        """After how many turns it was the assistant's turn, the end included."""
        return [n for n, turn in enumerate(self.turns, 1) if turn.role == "user"]


@cache
def images() -> st.SearchStrategy[Image]:
    """Images and documents that all three formats can carry."""
    return st.sampled_from(
        (Image(Media("image/png", data=PNG)), Image(Media(url="https://example.test/cat.png")))
    )


@cache
def documents() -> st.SearchStrategy[Document]:
    return st.just(Document(Media("application/pdf", data=PDF), title="notes.pdf"))


@st.composite
def conversations(draw: st.DrawFn, names: st.SearchStrategy[str] | None = None) -> Conversation:
    """A whole history: the user speaks first and last, calls are of declared tools and all answered."""
    found = draw(st.lists(tool_names() if names is None else names, min_size=1, max_size=3, unique=True))
    tools = tuple(
        Tool(name, draw(st.none() | texts()), {"type": "object", "properties": {}}) for name in found
    )
    turns = [_user(draw)]
    taken: set[str] = set()
    for _ in range(draw(st.integers(0, 3))):
        ids = draw(st.lists(call_ids().filter(lambda drawn: drawn not in taken), max_size=3, unique=True))
        taken.update(ids)
        said: list[Part] = [] if draw(st.booleans()) and ids else [Text(draw(texts()))]
        calls = [ToolCall(one, draw(st.sampled_from(found)), json.dumps(draw(arguments()))) for one in ids]
        turns.append(Turn("assistant", (*said, *calls)))
        results = tuple(
            ToolResult(one, tuple(Text(t) for t in draw(st.lists(texts(), max_size=2))), draw(st.booleans()))
            for one in ids
        )
        turns.append(Turn("user", results) if draw(st.booleans()) and ids else _user(draw, results))
    system = tuple(draw(st.lists(texts(), max_size=2)))
    return Conversation(tuple(turns), system, tools, {"max_tokens": draw(st.integers(16, 4096))})


def _user(draw: st.DrawFn, before: tuple[Part, ...] = ()) -> Turn:
    return Turn("user", (*before, *draw(_content())))


@cache
def _content() -> st.SearchStrategy[list[Part]]:
    return st.lists(st.builds(Text, texts()) | images() | documents(), min_size=1, max_size=3)


def body(wire: Wire, conversation: Conversation) -> JsonObject:
    """The conversation as a client of this format sends it."""
    match wire:
        case "anthropic":
            return _messages(conversation)
        case "chat":
            return _chat(conversation)
        case "responses":
            return _responses(conversation)


def _messages(conversation: Conversation) -> JsonObject:
    return {
        "model": "asked",
        "system": [{"type": "text", "text": text} for text in conversation.system],
        "messages": [
            {"role": turn.role, "content": [_block(part) for part in turn.parts]}
            for turn in conversation.turns
        ],
        "tools": [_declared(tool, "input_schema") for tool in conversation.tools],
        **conversation.params,
    }


def _block(part: Part) -> JsonObject:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            return {"type": "image", "source": _source(part.media)}
        case Document(media=Media() as media):
            return {"type": "document", "source": _source(media), "title": part.title}
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": json.loads(part.arguments)}
        case ToolResult():
            content = [_block(inner) for inner in part.parts]
            answer = {"type": "tool_result", "tool_use_id": part.call_id, "content": content}
            return answer | ({"is_error": True} if part.is_error else {})
    raise AssertionError(part)


def _source(media: Media) -> JsonObject:
    if media.url:
        return {"type": "url", "url": media.url}
    return {"type": "base64", "media_type": media.media_type, "data": media.data}


def _declared(tool: Tool, schema: str) -> JsonObject:
    declared: JsonObject = {"name": tool.name, schema: tool.schema}
    return declared | ({"description": tool.description} if tool.description else {})


def _chat(conversation: Conversation) -> JsonObject:
    messages: list[JsonObject] = [{"role": "system", "content": text} for text in conversation.system]
    for turn in conversation.turns:
        messages += _chat_messages(turn)
    tools = [{"type": "function", "function": _declared(tool, "parameters")} for tool in conversation.tools]
    return {"model": "asked", "messages": messages, "tools": tools, **conversation.params}


def _chat_messages(turn: Turn) -> list[JsonObject]:
    if turn.role == "assistant":
        calls = [
            {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
            for part in turn.parts
            if isinstance(part, ToolCall)
        ]
        text = "".join(part.text for part in turn.parts if isinstance(part, Text))
        message: JsonObject = {"role": "assistant", "content": text or None}
        return [message | ({"tool_calls": calls} if calls else {})]
    messages: list[JsonObject] = [
        {"role": "tool", "tool_call_id": part.call_id, "content": output(part)}
        for part in turn.parts
        if isinstance(part, ToolResult)
    ]
    content = [_chat_part(part) for part in turn.parts if not isinstance(part, ToolResult)]
    return [*messages, *([{"role": "user", "content": content}] if content else [])]


def output(result: ToolResult) -> str:
    """A result as text, with the mark that stands for Anthropic's flag."""
    text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    return f"[tool error] {text}" if result.is_error else text


def _chat_part(part: Part) -> JsonObject:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            return {"type": "image_url", "image_url": {"url": _url(part.media)}}
        case Document(media=Media() as media):
            return {"type": "file", "file": {"filename": part.title, "file_data": _url(media)}}
    raise AssertionError(part)


def _url(media: Media) -> str:
    return media.url or f"data:{media.media_type};base64,{media.data}"


def _responses(conversation: Conversation) -> JsonObject:
    items: list[JsonObject] = []
    for turn in conversation.turns:
        items += _items(turn)
    params = dict(conversation.params)
    if "max_tokens" in params:
        params["max_output_tokens"] = params.pop("max_tokens")
    instructions = {"instructions": "\n\n".join(conversation.system)} if conversation.system else {}
    tools = [{"type": "function", **_declared(tool, "parameters")} for tool in conversation.tools]
    return {"model": "asked", **instructions, "input": items, "tools": tools, **params}


def _items(turn: Turn) -> list[JsonObject]:
    items: list[JsonObject] = []
    content: list[JsonObject] = []
    for part in turn.parts:
        match part:
            case ToolCall():
                named = {"call_id": part.id, "name": part.name, "arguments": part.arguments}
                items.append({"type": "function_call", **named})
            case ToolResult():
                items.append(
                    {"type": "function_call_output", "call_id": part.call_id, "output": output(part)}
                )
            case Text() if turn.role == "assistant":
                items.append({"role": "assistant", "content": [{"type": "output_text", "text": part.text}]})
            case Text():
                content.append({"type": "input_text", "text": part.text})
            case Image():
                content.append({"type": "input_image", "image_url": _url(part.media), "detail": "auto"})
            case Document(media=Media() as media):
                content.append({"type": "input_file", "filename": part.title, "file_data": _url(media)})
    return [*items, *([{"role": "user", "content": content}] if content else [])]
