"""Content blocks of a request as parts (Messages API reference and SDK types, read 2026-11-22)."""

from collections.abc import Callable, Iterable

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import (
    JsonObject,
    Opaque,
    Part,
    Reasoning,
    Seal,
    SearchResult,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.formats import carrier, reading
from ccproxy.formats.anthropic.decode_media import DocumentReader, image, note_citations
from ccproxy.formats.arguments import compact

Read = Callable[[JsonObject, str], Iterable[Part]]

_SERVER_SIDE = frozenset(
    {
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "advisor_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "mcp_tool_listing",
        "fallback",
        "tool_removal",
    }
)
"""What Anthropic's servers did or shall do; what came of it stands in the text around it."""

_SILENT = frozenset({"type", "cache_control", "citations", "caller", "toolset_name", "transformations"})
"""Fields of any block that change nothing for anybody but Anthropic."""

_FIELDS: dict[str, frozenset[str]] = {
    "text": frozenset({"text"}),
    "image": frozenset({"source"}),
    "document": frozenset({"source", "title", "context"}),
    "search_result": frozenset({"source", "title", "content"}),
    "tool_use": frozenset({"id", "name", "input"}),
    "tool_result": frozenset({"tool_use_id", "content", "is_error"}),
    "thinking": frozenset({"thinking", "signature"}),
    "redacted_thinking": frozenset({"data"}),
}
"""Fields of the blocks that can be said in full."""


class BlockReader:
    """Reads the content of one message; what cannot be said to others is added to `losses`."""

    def __init__(self, losses: list[Loss]) -> None:
        self._losses = losses
        self._documents = DocumentReader(losses)

    def user(self, content: object, path: str) -> tuple[Part, ...]:
        media: dict[str, Read] = {"image": _image, "document": self._documents.read}
        return self._parts(
            content, path, {"tool_result": self._tool_result, "search_result": self._search, **media}
        )

    def assistant(self, content: object, path: str) -> tuple[Part, ...]:
        readers: dict[str, Read] = {
            "thinking": _thinking,
            "redacted_thinking": _redacted,
            "tool_use": _tool_use,
            "compaction": _compaction,
            "document": self._leave_out,
        }
        return self._parts(content, path, readers)

    def system(self, content: object, path: str) -> tuple[Part, ...]:
        return self._parts(content, path, {"tool_addition": self._tool_addition})

    def _parts(self, content: object, path: str, readers: dict[str, Read]) -> tuple[Part, ...]:
        """A string is short for one text block. Every message may have text, and what servers did."""
        if isinstance(content, str):
            return (Text(content),) if content else ()
        parts: list[Part] = []
        for index, value in enumerate(reading.array(content, path)):
            parts += self._block(value, f"{path}.{index}", readers)
        return tuple(parts)

    def _block(self, value: object, path: str, readers: dict[str, Read]) -> Iterable[Part]:
        block = reading.mapping(value, path)
        kind = reading.text(block.get("type"), f"{path}.type")
        self._note_unknown(block, _FIELDS.get(kind), path)
        if kind in ("text", "connector_text"):
            return _text(block, path)
        if read := readers.get(kind):
            return read(block, path)
        if kind in _SERVER_SIDE:
            return self._leave_out(block, path)
        if kind in _ELSEWHERE:
            raise RequestError(f"{path}.type", f"{kind!r} cannot stand in a message of this role")
        return [Opaque("anthropic", block)]

    def _note_unknown(self, block: JsonObject, known: frozenset[str] | None, path: str) -> None:
        if known is not None:
            unknown = (key for key in block if key not in known | _SILENT)
            self._losses += [Loss(f"{path}.{key}", "Only Anthropic knows this field.") for key in unknown]

    def _leave_out(self, block: JsonObject, path: str) -> Iterable[Part]:
        self._losses.append(Loss(path, f"Only Anthropic knows what {block['type']!r} means."))
        return []

    def _tool_addition(self, block: JsonObject, path: str) -> Iterable[Part]:
        # a reference adds a tool of `tools`, and those are all offered from the start
        match block.get("tool"):
            case {"type": "tool_reference"}:
                return []
        return self._leave_out(block, path)

    def _tool_result(self, block: JsonObject, path: str) -> Iterable[Part]:
        call_id = reading.text(block.get("tool_use_id"), f"{path}.tool_use_id")
        is_error = reading.optional(reading.boolean, block.get("is_error"), f"{path}.is_error")
        content = block.get("content")
        parts = () if content is None else self._result_parts(content, f"{path}.content")
        return [ToolResult(call_id, parts, bool(is_error))]

    def _result_parts(self, content: object, path: str) -> tuple[Part, ...]:
        media: dict[str, Read] = {"image": _image, "document": self._documents.read}
        return self._parts(
            content, path, {"tool_reference": _reference, "search_result": self._search, **media}
        )

    def _search(self, block: JsonObject, path: str) -> Iterable[Part]:
        note_citations(block, path, self._losses)
        content = reading.array(block.get("content"), f"{path}.content")
        texts = [
            reading.text(reading.mapping(item, f"{path}.content.{i}").get("text"), f"{path}.content.{i}.text")
            for i, item in enumerate(content)
        ]
        source = reading.text(block.get("source"), f"{path}.source")
        return [SearchResult(source, reading.text(block.get("title"), f"{path}.title"), tuple(texts))]


def _text(block: JsonObject, path: str) -> Iterable[Part]:
    text = reading.text(block.get("text"), f"{path}.text")
    return [Text(text)] if text else []


def _image(block: JsonObject, path: str) -> Iterable[Part]:
    return [image(block, path)]


def _tool_use(block: JsonObject, path: str) -> Iterable[Part]:
    call_id = reading.text(block.get("id"), f"{path}.id")
    name = reading.text(block.get("name"), f"{path}.name")
    if not name:
        raise RequestError(f"{path}.name", "must not be empty")
    return [ToolCall(call_id, name, compact(reading.mapping(block.get("input"), f"{path}.input")))]


def _reference(block: JsonObject, path: str) -> Iterable[Part]:
    """What a search for tools found; as they are all offered from the start, only the name is to be said."""
    name = reading.text(block.get("tool_name"), f"{path}.tool_name")
    return [Text(f"The tool {name} is available.")]


def _thinking(block: JsonObject, path: str) -> Iterable[Part]:
    text = reading.text(block.get("thinking"), f"{path}.thinking")
    signature = reading.optional(reading.text, block.get("signature"), f"{path}.signature") or ""
    if carried := carrier.unpack(signature):
        seal, sealed = carried
        return [Reasoning(text or sealed, seal)]
    if not signature or carrier.is_tagged(signature):
        return [Reasoning(text)] if text else []
    return [Reasoning(text, Seal("anthropic", signature))]


def _redacted(block: JsonObject, path: str) -> Iterable[Part]:
    data = reading.text(block.get("data"), f"{path}.data")
    if carried := carrier.unpack(data):
        return [Reasoning(carried[1], carried[0])]
    if not data or carrier.is_tagged(data):
        return []
    return [Reasoning("", Seal("anthropic", data, redacted=True))]


def _compaction(block: JsonObject, path: str) -> Iterable[Part]:
    """The summary that stands for what was said before."""
    text = reading.optional(reading.text, block.get("content"), f"{path}.content")
    return [Text(text)] if text else []


_ELSEWHERE = frozenset(
    {"image", "document", "search_result", "tool_use", "tool_result", "thinking", "redacted_thinking"}
    | {"tool_reference", "tool_addition", "compaction"}
)
"""Blocks that we know, and that have their own place."""
