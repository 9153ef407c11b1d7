"""Responses requests, answers and items as text (API reference, read 2026-11-22)."""

from ccproxy.conversation.parts import JsonObject
from ccproxy.inspector.layout import (
    Lines,
    apart,
    arguments,
    base64_bytes,
    data_url,
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
from ccproxy.inspector.messages import Names, signature_of


def request_lines(body: JsonObject) -> Lines:
    """A request: settings, instructions, tools, input."""
    names: Names = {}
    given = body.get("input")
    turns = (
        [section("User  (input)", text_lines(given))]
        if isinstance(given, str)
        else [item_lines(item, names, f"input.{index}") for index, item in enumerate(items(given))]
    )
    system = body.get("instructions")
    return request_of(
        "Responses",
        body,
        ("instructions", "input"),
        [
            section("System  (instructions)", _content(system)) if system else [],
            tools_section(body.get("tools"), _tool),
            *turns,
        ],
    )


def answer_lines(body: JsonObject) -> Lines:
    """The items of an answer."""
    names: Names = {}
    return apart(item_lines(item, names) for item in items(body.get("output")))


def item_lines(item: object, names: Names, path: str = "") -> Lines:
    """One item; `path` is where it stood in a request, whose messages show their role."""
    at = f"  ({path})" if path else ""
    item = mapping(item)
    kind = string(item.get("type")) or ("message" if "role" in item else "?")
    call = string(item.get("call_id"))
    match kind:
        case "message":
            role = string(item.get("role")) or "?"
            content = _content(item.get("content"))
            return section(f"{role.capitalize()}{at}", content) if path else content
        case "reasoning":
            return section(f"Thinking{_sealed(item)}{at}", _thoughts(item))
        case "function_call" | "custom_tool_call":
            name = string(item.get("name")) or "?"
            name = f"{item['namespace']}.{name}" if item.get("namespace") else name
            names[call] = name
            written = item.get("arguments") if kind == "function_call" else item.get("input")
            return section(f"Tool call {name} ({call}){at}", arguments(written))
        case "function_call_output" | "custom_tool_call_output" | "local_shell_call_output":
            title = f"Result of {names.get(call, 'a call')} ({call}){at}"
            return section(title, _content(item.get("output")))
        case "additional_tools":
            return section(f"More tools{at}", tools_section(item.get("tools"), _tool))
    others = {name: value for name, value in item.items() if name not in ("type", "id", "status")}
    if kind == "image_generation_call" and (data := string(item.get("result"))):
        others["result"] = size(base64_bytes(data))
    status = f", {item['status']}" if item.get("status") else ""
    return section(f"Item {kind}{status}{at}", settings(others))


def _sealed(item: JsonObject) -> str:
    sealed = string(item.get("encrypted_content"))
    return f" (encrypted, {len(sealed)} characters)" if sealed else ""


def _thoughts(item: JsonObject) -> Lines:
    parts = [mapping(part) for part in (*items(item.get("summary")), *items(item.get("content")))]
    texts = [string(part.get("text")) for part in parts]
    return apart(text_lines(text) for text in texts) if any(texts) else iter(("(text withheld)",))


def _tool(tool: JsonObject) -> Lines:
    match tool:
        case {"type": "function", "name": str(name)}:
            yield name + signature_of(tool.get("parameters"))
        case {"type": "custom", "name": str(name)}:
            yield f"{name}: any text"
        case {"type": "namespace", "name": str(name), "tools": list(inner)}:
            yield from section(f"{name}:", (line for one in inner for line in _tool(mapping(one))))
        case {"type": "mcp"}:
            yield f"{tool.get('server_label')}: mcp, {tool.get('server_url') or tool.get('connector_id')}"
        case _:
            others = {name: value for name, value in tool.items() if name != "type"}
            yield string(tool.get("type")) + (f" {shown(others)}" if others else "")


def _content(content: object) -> Lines:
    if isinstance(content, str):
        return iter(text_lines(content))
    if isinstance(content, list):
        return apart(_part(mapping(part)) for part in content)
    return iter(pretty(content))


def _part(part: JsonObject) -> Lines:
    match part:
        case {"type": "input_text" | "output_text" | "text" | "summary_text", "text": str(text)}:
            yield from text_lines(text)
            for note in items(part.get("annotations")):
                yield f"[cites {shown(note)}]"
        case {"type": "refusal", "refusal": str(text)}:
            yield from section("Refusal", text_lines(text))
        case {"type": "input_image"}:
            url, detail = string(part.get("image_url")), part.get("detail")
            held = data_url(url) or f"at {url}" if url else f"in the provider's store, {part.get('file_id')}"
            yield f"Image {held}" + (f", detail {detail}" if detail else "")
        case {"type": "input_file"}:
            name = f" {shown(part['filename'])}" if part.get("filename") else ""
            yield f"Document{name} {_file(part)}"
        case {"type": "input_audio", "input_audio": {"data": str(data), **audio}}:
            yield f"Audio {audio.get('format')}, {size(base64_bytes(data))}"
        case _:
            yield from section(f"Part {shown(part.get('type'))}", settings(part))


def _file(part: JsonObject) -> str:
    if data := string(part.get("file_data")):
        return data_url(data) or size(base64_bytes(data))
    if part.get("file_url"):
        return f"at {part['file_url']}"
    return f"in the provider's store, {part.get('file_id')}"
