"""How text for people is laid out: lines, two spaces for what belongs below, sizes instead of bytes."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import msgspec

from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.arguments import whole

Lines = Iterator[str]

HIDDEN = "[hidden]"

LONG = 80
"""Characters of JSON that still stand in one line."""

CREDENTIALS = frozenset(
    ("authorization_token", "authorization", "api_key", "access_token", "refresh_token", "id_token")
) | {"client_secret", "code_verifier", "authorization_code", "device_code"}
"""Names of credentials, in requests that give a provider those for somebody else's server (MCP servers), in
addresses, in forms and in what servers of tokens ask and answer (RFC 6749)."""

_OPAQUE = frozenset(("encrypted_content", "signature", "b64_json", "file_data", "encrypted_index"))
"""Fields that only a provider can read: their size is all that they tell."""


def as_object(body: bytes | str) -> JsonObject | None:
    """A JSON object, None for everything else."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return _lenient(body if isinstance(body, str) else body.decode("utf-8", "replace"))
    return value if isinstance(value, dict) else None


def _lenient(text: str) -> JsonObject | None:
    """Also halves of surrogate pairs, which are legal in JSON."""
    try:
        return whole(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """A text, "" for everything else."""
    return value if isinstance(value, str) else ""


def indented(lines: Iterable[str]) -> Lines:
    """One level further in; empty lines stay empty."""
    for line in lines:
        yield f"  {line}" if line else ""


def section(title: str, lines: Iterable[str]) -> Lines:
    """A title, and what belongs to it."""
    yield title
    yield from indented(lines)


def apart(blocks: Iterable[Iterable[str]]) -> Lines:
    """Blocks with an empty line between them; a block without lines is left out."""
    started = False
    for block in blocks:
        for number, line in enumerate(block):
            if started and number == 0:
                yield ""
            started = True
            yield line


def text_lines(text: str) -> list[str]:
    """A text in its own lines, without empty ones at its end."""
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def shown(value: object) -> str:
    """A value in one line of JSON, without secrets and without bulk."""
    return json.dumps(sparse(value), ensure_ascii=False)


def pretty(value: object) -> list[str]:
    """A value that we know nothing about: as JSON, without secrets and without bulk."""
    return json.dumps(sparse(value), ensure_ascii=False, indent=2).split("\n")


def fields(value: JsonObject) -> Lines:
    """The fields of an object, one a line; a text of several lines stands below its name."""
    for name, inner in value.items():
        line = json.dumps(inner, ensure_ascii=False)
        if isinstance(inner, str) and "\n" in inner:
            yield from section(f"{name}:", text_lines(inner))
        elif isinstance(inner, dict | list) and len(line) > LONG:
            yield from section(f"{name}:", json.dumps(inner, ensure_ascii=False, indent=2).split("\n"))
        else:
            yield f"{name}: {line}"


def settings(value: JsonObject) -> Lines:
    """What a request says besides its conversation."""
    yield from fields(mapping(sparse(value)))


def request_of(title: str, body: JsonObject, told: Collection[str], blocks: Iterable[Iterable[str]]) -> Lines:
    """A request: `title` and model, its settings, and the blocks that tell of the fields in `told`."""
    known = ("model", "tools", *told)
    others = {
        name: value
        for name, value in body.items()
        if name not in known and not (name == "stream" and value is False)
    }
    yield f"{title} request to {body.get('model')}"
    yield ""
    yield from apart([section("Settings", settings(others)) if others else [], *blocks])


def tools_section(tools: object, told: Callable[[JsonObject], Iterable[str]]) -> Lines:
    """How many tools there are, and what is `told` of each."""
    if found := items(tools):
        yield from section(f"Tools ({len(found)})", (line for tool in found for line in told(mapping(tool))))


def arguments(written: object) -> list[str]:
    """The arguments of a tool call: an object, or the text that the model wrote."""
    value = as_object(written) if isinstance(written, str) else written
    if isinstance(value, dict):
        return list(fields(value)) or ["(no arguments)"]
    return text_lines(written) if isinstance(written, str) else pretty(written)


def sparse(value: object) -> object:
    """The same JSON without credentials, and with sizes in the place of what nobody can read."""
    if isinstance(value, dict):
        return {name: _sparse_field(name, inner, value) for name, inner in value.items()}
    if isinstance(value, list):
        return [sparse(inner) for inner in value]
    return data_url(value) or value if isinstance(value, str) else value


def _sparse_field(name: str, value: object, around: JsonObject) -> object:
    if name in CREDENTIALS and value is not None:
        return HIDDEN
    if name == "headers" and isinstance(value, dict):
        return dict.fromkeys(value, HIDDEN)
    if isinstance(value, str):
        if name in _OPAQUE:
            return data_url(value) or f"[{len(value)} characters]"
        if name == "data" and around.get("type") in ("base64", "redacted_thinking"):
            return f"[{size(base64_bytes(value))}]"
    return sparse(value)


def data_url(text: str) -> str | None:
    """Type and size of what a base64 `data:` URL (RFC 2397) holds; None for any other text."""
    if not text.startswith("data:"):
        return None
    head, comma, payload = text.partition(",")
    if not comma or not head.endswith(";base64"):
        return None
    kind = head.removeprefix("data:").removesuffix(";base64") or "unknown type"
    return f"{kind}, {size(base64_bytes(payload))}"


def base64_bytes(data: str) -> int:
    """How many bytes a base64 text stands for."""
    return max(0, len(data) * 3 // 4 - data[-2:].count("="))


def size(count: int) -> str:
    """Bytes for people: `12.3 kB`, in steps of 1000."""
    if count < 1000:
        return f"{count} bytes"
    number, unit = count / 1000, "kB"
    if number >= 1000:
        number, unit = number / 1000, "MB"
    return f"{number:.1f} {unit}"
