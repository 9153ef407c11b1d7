"""A request as a Python program with the official SDK (anthropic 2.12 and openai 3.54, read 2026-11-22)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.inspector.layout import HIDDEN
from ccproxy.inspector.sent import Sent

WIDTH = 88


@dataclass(frozen=True, slots=True)
class Sdk:
    """How an SDK is asked for a format; fields that it does not know by name go into `extra_body`."""

    module: str
    client: str
    method: str
    ending: str
    fields: frozenset[str]


SDKS: dict[Wire, Sdk] = {
    "anthropic": Sdk(
        "anthropic",
        "Anthropic",
        "messages.create",
        "/v1/messages",
        frozenset(("model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking"))
        | {"metadata", "stop_sequences", "service_tier", "stream"},
    ),
    "chat": Sdk(
        "openai",
        "OpenAI",
        "chat.completions.create",
        "/chat/completions",
        frozenset(("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format"))
        | {"max_tokens", "max_completion_tokens", "temperature", "top_p", "n", "stop", "seed", "user"}
        | {"reasoning_effort", "metadata", "service_tier", "store", "stream", "stream_options"},
    ),
    "responses": Sdk(
        "openai",
        "OpenAI",
        "responses.create",
        "/responses",
        frozenset(("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text"))
        | {"max_output_tokens", "temperature", "top_p", "reasoning", "include", "previous_response_id"}
        | {"prompt_cache_key", "metadata", "service_tier", "store", "stream"},
    ),
}

_OWN = ("accept", "content-type")
"""Headers that the SDKs write themselves."""


def python_text(request: Sent) -> str:
    """The program. ValueError for what no method of the SDKs sends."""
    sdk = SDKS[request.wire] if request.wire else None
    path, _, query = request.path.partition("?")
    if sdk is None or not path.endswith(sdk.ending):
        raise ValueError(f"The SDKs have no method for {path}.")
    body = json.loads(request.body)
    if not isinstance(body, dict):
        raise ValueError("The body is no JSON object.")
    base = request.url.partition("?")[0].removesuffix(sdk.ending)
    note = [f"# {HIDDEN} stands for credentials: put yours there."] if f'"{HIDDEN}"' in request.body else []
    lines = [
        *("import os", "", f"import {sdk.module}", "", *note),
        f"client = {sdk.module}.{sdk.client}(",
        *(f"    {argument}," for argument in _client(request, sdk, base, body)),
        ")",
        f"answer = client.{sdk.method}(",
        *(f"    {name}={literal(value, 4)}," for name, value in _arguments(request, sdk, query, body)),
        ")",
        *(("for event in answer:", "    print(event)") if body.get("stream") else ("print(answer)",)),
    ]
    return "\n".join(lines) + "\n"


def _client(request: Sent, sdk: Sdk, base: str, body: JsonObject) -> Iterable[str]:
    first, *others = request.credentials()
    key = "auth_token" if sdk.module == "anthropic" and first.scheme else "api_key"
    yield f'{key}=os.environ["{first.variable}"]'
    yield f"base_url={base!r}"
    if others:
        inner = ", ".join(f'"{one.header}": os.environ["{one.variable}"]' for one in others)
        yield f"default_headers={{{inner}}}"
    if sdk.module == "anthropic" and not body.get("stream"):
        # without it the SDK refuses to ask for a long answer that does not stream
        yield "timeout=600"


def _arguments(request: Sent, sdk: Sdk, query: str, body: JsonObject) -> Iterable[tuple[str, object]]:
    yield from ((name, value) for name, value in body.items() if name in sdk.fields)
    if others := {name: value for name, value in body.items() if name not in sdk.fields}:
        yield "extra_body", others
    if headers := {name: value for name, value in request.headers if name.lower() not in _OWN}:
        yield "extra_headers", headers
    if query:
        yield "extra_query", dict(pair.partition("=")[::2] for pair in query.split("&"))


def literal(value: object, indent: int = 0) -> str:
    """A value of JSON as Python source, one element a line where it is long."""
    line = repr(value)
    if not isinstance(value, dict | list) or not value or indent + len(line) <= WIDTH:
        return line
    inner = indent + 4
    if isinstance(value, dict):
        parts = [f"{key!r}: {literal(held, inner)}" for key, held in value.items()]
    else:
        parts = [literal(held, inner) for held in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opening, *(f"{' ' * inner}{part}," for part in parts), f"{' ' * indent}{closing}"])
