"""A conversation as a Messages request for one model (Messages API reference, read 2026-11-22)."""

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import Request
from ccproxy.formats.anthropic import encode_params, encode_thinking, encode_tools, encode_turns
from ccproxy.formats.anthropic.encode_blocks import BlockWriter, text_block
from ccproxy.formats.anthropic.paths import path
from ccproxy.formats.codec import Encoded


def encode_request(request: Request, facts: ModelFacts) -> Encoded:
    """Raises RequestError for what must not be dropped. The keys of the body have a fixed order."""
    try:
        return _encode(request, facts)
    except RecursionError:
        raise RequestError(path(request.wire, "turns"), "or a schema is nested too deeply") from None


def _encode(request: Request, facts: ModelFacts) -> Encoded:
    losses: list[Loss] = []
    names = encode_tools.renamer(request)
    tools = encode_tools.tools(request, facts, names, losses)
    choice = encode_tools.tool_choice(request, tools, names)
    if not tools and (tools := encode_tools.tools_of_history(request, names)):
        choice = {"type": "none"}
    forced = choice is not None and choice["type"] in ("any", "tool")
    thinking = encode_thinking.plan(request, facts, forced, losses)
    writer = BlockWriter(names, losses)
    prefill = facts.prefill and not thinking.is_on
    history = encode_turns.messages(request, facts, prefill, writer, losses)
    if thinking.mode == "enabled" and encode_turns.is_missing_thoughts(history):
        losses.append(Loss(encode_thinking.where(request), "The last tool call came without its thinking."))
        thinking = encode_thinking.Plan(effort=thinking.effort)
    limit = encode_params.max_tokens(request, facts, losses)
    thinking, limit = encode_thinking.fit(thinking, limit, request, facts, losses)
    output, told = encode_params.output_format(request, facts, losses)
    config = {"effort": thinking.effort, "format": output}
    body: JsonObject = {
        "model": facts.id,
        "max_tokens": limit,
        "system": _system(request, told),
        "messages": history,
        "tools": tools,
        "tool_choice": choice,
        "thinking": thinking.field,
        "output_config": {key: value for key, value in config.items() if value is not None},
        "stop_sequences": encode_params.stop_sequences(request, losses),
        **encode_params.sampling(request, facts, thinking.is_on, losses),
        **encode_params.service(request, losses),
        "stream": request.params.stream,
    }
    body = {key: value for key, value in body.items() if value is not False and value not in (None, [], {})}
    encode_params.note_losses(request, losses)
    encode_params.put_back(request, body)
    return Encoded(body, tuple(losses), names.names())


def _system(request: Request, told: str | None) -> list[JsonObject]:
    texts = [part.text for part in request.system] + ([told] if told else [])
    return [block for text in texts if (block := text_block(text))]
