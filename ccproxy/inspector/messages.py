"""Messages requests and answers as text (Messages API reference, read 2026-11-22)."""

from ccproxy.conversation.parts import JsonObject
from ccproxy.inspector.layout import (
    Lines,
    apart,
    arguments,
    base64_bytes,
    indented,
    items,
    mapping,
    pretty,
    request_of,
    section,
    settings,
    shown,
    size,
    string,
    text_lines,
    tools_section,
)

_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")

Names = dict[str, str]
"""The names of the tools that were called, by the ids of the calls."""


def request_lines(body: JsonObject) -> Lines:
    """A request: settings, system, tools, turns."""
    names: Names = {}
    return request_of(
        "Messages",
        body,
        ("system", "messages"),
        [
            section("System", _content(body["system"], names)) if body.get("system") else [],
            tools_section(body.get("tools"), _tool),
            *(_turn(index, turn, names) for index, turn in enumerate(items(body.get("messages")))),
        ],
    )


def answer_lines(body: JsonObject) -> Lines:
    """The content of an answer."""
    return _content(body.get("content"), {})


def signature_of(schema: object) -> str:
    """The parameters that a JSON schema names: `(path, limit?)`."""
    required = items(mapping(schema).get("required"))
    names = mapping(mapping(schema).get("properties"))
    return "(" + ", ".join(name if name in required else f"{name}?" for name in names) + ")"


def _tool(tool: JsonObject) -> Lines:
    """One line; what the provider runs is called by its type."""
    name, kind = string(tool.get("name")), string(tool.get("type"))
    mark = f"  {_mark(tool)}" if _mark(tool) else ""
    if "input_schema" in tool:
        yield name + signature_of(tool["input_schema"]) + mark
    else:
        yield f"{name or '-'}: {kind or shown(tool)}" + mark


def _turn(index: int, turn: object, names: Names) -> Lines:
    turn = mapping(turn)
    role = string(turn.get("role")) or "?"
    return section(f"{role.capitalize()}  (messages.{index})", _content(turn.get("content"), names))


def _content(content: object, names: Names) -> Lines:
    if isinstance(content, str):
        return iter(text_lines(content))
    if isinstance(content, list):
        return apart(_block(block, names) for block in content)
    return iter(pretty(content))


def _block(block: object, names: Names) -> Lines:
    if not isinstance(block, dict):
        yield from pretty(block)
        return
    yield from _body(block, names)
    if mark := _mark(block):
        yield mark


def _body(block: JsonObject, names: Names) -> Lines:
    match block:
        case {"type": "text", "text": str(text)}:
            yield from text_lines(text)
            yield from _citations(block)
        case {"type": "thinking", "thinking": str(text)}:
            signed = "signed" if block.get("signature") else "not signed"
            yield from section(f"Thinking ({signed})", text_lines(text) if text else ["(text withheld)"])
        case {"type": "redacted_thinking", "data": str(data)}:
            yield f"Thinking (redacted, {size(base64_bytes(data))})"
        case {"type": str(kind), "name": str(name)} if kind in _CALLS:
            names[string(block.get("id"))] = name
            server = " at the provider" if kind == "server_tool_use" else ""
            server = f" at {block.get('server_name')}" if kind == "mcp_tool_use" else server
            yield from section(f"Tool call {name}{server} ({block.get('id')})", arguments(block.get("input")))
        case {"type": str(kind), "tool_use_id": str(call)} if kind.endswith("tool_result"):
            failed = ", failed" if block.get("is_error") else ""
            content = block.get("content")
            lines = _content(content, names) if content else iter(("(empty)",))
            yield from section(f"Result of {names.get(call, 'a call')} ({call}{failed})", lines)
        case {"type": "image" | "document" as kind, "source": dict(source)}:
            title = f" {shown(block['title'])}" if block.get("title") else ""
            yield f"{kind.capitalize()}{title} {_source(source)}"
            yield from indented(_inside(source, names))
        case {"type": "search_result"}:
            title = f"Search result {shown(block.get('title'))} from {shown(block.get('source'))}"
            yield from section(title, _content(block.get("content"), names))
        case _:
            yield from section(
                f"Block {shown(block.get('type'))}",
                settings(
                    {name: value for name, value in block.items() if name not in ("type", "cache_control")}
                ),
            )


def _source(source: JsonObject) -> str:
    match source:
        case {"type": "base64", "data": str(data)}:
            return f"{source.get('media_type')}, {size(base64_bytes(data))}"
        case {"type": "url", "url": str(url)}:
            return f"at {url}"
        case {"type": "file", "file_id": str(file)}:
            return f"in the provider's store, {file}"
        case {"type": "text", "data": str(data)}:
            return f"{source.get('media_type', 'text/plain')}, {size(len(data.encode()))}"
    return string(source.get("type")) if "content" in source else shown(source)


def _inside(source: JsonObject, names: Names) -> Lines:
    """The texts that a document holds."""
    match source:
        case {"type": "text", "data": str(data)}:
            yield from text_lines(data)
        case {"type": "content", "content": content}:
            yield from _content(content, names)


def _citations(block: JsonObject) -> Lines:
    for citation in items(block.get("citations")):
        cited = mapping(citation)
        where = cited.get("url") or cited.get("document_title") or cited.get("title") or cited.get("type")
        yield f"[cites {where}: {shown(cited.get('cited_text'))}]"


def _mark(block: JsonObject) -> str:
    control = block.get("cache_control")
    if not isinstance(control, dict):
        return ""
    ttl = string(control.get("ttl"))
    return f"[cache mark, {ttl}]" if ttl else "[cache mark]"
