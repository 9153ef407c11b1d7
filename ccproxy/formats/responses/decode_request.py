"""A Responses request, as a conversation (API reference, read 2026-11-22)."""

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Text
from ccproxy.conversation.request import Request, Turn
from ccproxy.formats import reading
from ccproxy.formats.codec import Decoded
from ccproxy.formats.responses.decode_items import Draft, decode_items
from ccproxy.formats.responses.decode_params import decode_params, updated
from ccproxy.formats.responses.decode_tools import decode_choice, decode_tools

_SERVER_SIDE = {
    "previous_response_id": "continues an answer that OpenAI keeps; send the whole history as input",
    "conversation": "names a conversation that OpenAI keeps; send the whole history as input",
    "prompt": "names a prompt that OpenAI keeps; send its text as instructions",
    "background": "asks for an answer in the background; ask for it with stream instead",
}

_READ = frozenset(
    (
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "max_output_tokens",
        "temperature",
        "top_p",
        "stream",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "service_tier",
        "prompt_cache_key",
        "safety_identifier",
        "user",
        "metadata",
        "store",
    )
)
"""Fields that the conversation holds."""

_HINTS = frozenset(("include", "stream_options", "client_metadata"))
"""Fields that say nothing about the answer's text: left out without a word."""

_DEFAULTS = (("truncation", "disabled"), ("top_logprobs", 0), ("background", False))

_ECHOED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "user",
)


def decode_request(body: JsonObject) -> Decoded:
    """Raises RequestError for what is wrong, and for what lives on OpenAI's servers only."""
    for name, why in _SERVER_SIDE.items():
        if body.get(name) not in (None, False):
            raise RequestError(name, why)
    model = reading.text(body.get("model"), "model")
    if body.get("input") is None:
        raise RequestError("input", "is missing")
    items = decode_items(body["input"])
    params = decode_params(body)
    for update, path in items.updates:
        params = updated(params, update, path)
    system, turns = _split(_instructions(body), items.turns)
    tools = (*decode_tools(body.get("tools"), "tools"), *items.tools)
    request = Request(
        "responses",
        model,
        turns,
        system,
        tools,
        decode_choice(body.get("tool_choice"), tools),
        params,
        _others(body),
        {name: body[name] for name in _ECHOED if body.get(name) is not None},
    )
    return Decoded(request, tuple(items.losses))


def _instructions(body: JsonObject) -> tuple[Text, ...]:
    text = reading.optional(reading.text, body.get("instructions"), "instructions")
    return (Text(text),) if text else ()


def _split(system: tuple[Text, ...], turns: list[Draft]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """What stands before the history, and the history: leading system messages are no turns."""
    count = 0
    for turn in turns:
        texts = tuple(part for part in turn.parts if isinstance(part, Text))
        if turn.role != "system" or len(texts) != len(turn.parts):
            break
        system += texts
        count += 1
    return system, tuple(turn.turn() for turn in turns[count:])


def _others(body: JsonObject) -> JsonObject:
    others = {
        name: value
        for name, value in body.items()
        if name not in _READ | _HINTS and value is not None and (name, value) not in _DEFAULTS
    }
    for group, known in (
        ("reasoning", ("effort", "summary", "generate_summary", "context")),
        ("text", ("format", "verbosity")),
    ):
        nested = body.get(group)
        for name, value in nested.items() if isinstance(nested, dict) else ():
            if name not in known and value is not None:
                others[f"{group}.{name}"] = value
    return others
