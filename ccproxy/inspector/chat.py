"""Chat Completions requests and answers as text (API reference, read 2026-11-22)."""

from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.chat import reasoning
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

_KNOWN = frozenset(
    ("role", "content", "refusal", "name", "tool_calls", "tool_call_id", "function_call", "audio")
) | {"reasoning_content", "reasoning", "annotations"}
"""Fields of a message that are told in words of their own."""


def request_lines(body: JsonObject) -> Lines:
    """A request: settings, tools, messages; system text is one of the messages."""
    names: Names = {}
    return request_of(
        "Chat Completions",
        body,
        ("messages",),
        [
            tools_section(body.get("tools"), _tool),
            *(_turn(index, mapping(turn), names) for index, turn in enumerate(items(body.get("messages")))),
        ],
    )


def answer_lines(body: JsonObject) -> Lines:
    """The messages of an answer, one for each choice."""
    choices = [mapping(choice) for choice in items(body.get("choices"))]
    if len(choices) == 1:
        return _message(mapping(choices[0].get("message")), {})
    return apart(
        section(f"Choice {choice.get('index')}", _message(mapping(choice.get("message")), {}))
        for choice in choices
    )


def _tool(tool: JsonObject) -> Lines:
    match tool:
        case {"function": {"name": str(name), **function}}:
            yield name + signature_of(function.get("parameters"))
        case {"custom": {"name": str(name)}}:
            yield f"{name}: any text"
        case _:
            yield shown(tool)


def _turn(index: int, message: JsonObject, names: Names) -> Lines:
    role = string(message.get("role")) or "?"
    by = f" {message['name']}" if message.get("name") else ""
    title = f"{role.capitalize()}{by}  (messages.{index})"
    return section(title, _message(message, names))


def _message(message: JsonObject, names: Names) -> Lines:
    thoughts = reasoning.said(message)
    blocks: list[Lines] = [section("Thinking", text_lines(thoughts))] if thoughts else []
    content = message.get("content")
    if "tool_call_id" in message:
        call = string(message["tool_call_id"])
        blocks.append(section(f"Result of {names.get(call, 'a call')} ({call})", _content(content)))
    elif content not in (None, ""):
        blocks.append(_content(content))
    if text := string(message.get("refusal")):
        blocks.append(section("Refusal", text_lines(text)))
    blocks += [_call(mapping(call), names) for call in items(message.get("tool_calls"))]
    if isinstance(legacy := message.get("function_call"), dict):
        blocks.append(_call({"function": legacy}, names))
    if audio := mapping(message.get("audio")):
        blocks.append(_audio(audio))
    if notes := items(message.get("annotations")):
        blocks.append(section("Annotations", pretty(notes)))
    others = {name: value for name, value in message.items() if name not in _KNOWN and value is not None}
    blocks.append(settings(others))
    return apart(blocks)


def _content(content: object) -> Lines:
    if isinstance(content, str):
        return iter(text_lines(content))
    if isinstance(content, list):
        return apart(_part(mapping(part)) for part in content)
    return iter(pretty(content))


def _part(part: JsonObject) -> Lines:
    match part:
        case {"type": "text", "text": str(text)}:
            yield from text_lines(text)
        case {"type": "refusal", "refusal": str(text)}:
            yield from section("Refusal", text_lines(text))
        case {"type": "image_url", "image_url": {"url": str(url), **image}}:
            detail = f", detail {image['detail']}" if image.get("detail") else ""
            yield f"Image {data_url(url) or f'at {url}'}{detail}"
        case {"type": "input_audio", "input_audio": dict(audio)}:
            yield from _audio(audio)
        case {"type": "file", "file": dict(file)}:
            name = f" {shown(file['filename'])}" if file.get("filename") else ""
            data = string(file.get("file_data"))
            held = (
                data_url(data) or size(base64_bytes(data)) if data else f"in the store, {file.get('file_id')}"
            )
            yield f"Document{name} {held}"
        case _:
            yield from section(f"Part {shown(part.get('type'))}", settings(part))
    if "cache_control" in part:
        yield "[cache mark]"


def _audio(audio: JsonObject) -> Lines:
    kind = f"{audio['format']}, " if audio.get("format") else ""
    yield f"Audio {kind}{size(base64_bytes(string(audio.get('data'))))}"
    if transcript := string(audio.get("transcript")):
        yield from section("Transcript", text_lines(transcript))


def _call(call: JsonObject, names: Names) -> Lines:
    function = mapping(call.get("function")) or mapping(call.get("custom"))
    name = string(function.get("name")) or "?"
    written = function.get("arguments") if "arguments" in function else function.get("input")
    names[string(call.get("id"))] = name
    which = f" ({call['id']})" if call.get("id") else ""
    return section(f"Tool call {name}{which}", arguments(written))
