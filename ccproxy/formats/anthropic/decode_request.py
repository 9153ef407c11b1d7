"""A Messages request as a conversation (Messages API reference, read 2026-11-22)."""

from collections.abc import Iterator
from typing import Any

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Text
from ccproxy.conversation.request import Request, Turn
from ccproxy.formats import reading
from ccproxy.formats.anthropic import decode_params, decode_tools
from ccproxy.formats.anthropic.decode_blocks import BlockReader
from ccproxy.formats.codec import Decoded

_BILLING = "x-anthropic-billing-header:"

_CONSUMED = frozenset({"model", "messages", "system", "tools", "tool_choice"}) | decode_params.CONSUMED

_DROPPED = frozenset({"cache_control", "context_management", "betas"})
"""Hints for Anthropic's own servers, without a meaning for anybody else."""


def decode_request(body: JsonObject) -> Decoded:
    """Raises RequestError for a field of the wrong type, and for what no upstream but Anthropic can do."""
    try:
        return _decode(body)
    except RecursionError:
        raise RequestError("messages", "is nested too deeply") from None


def _decode(body: JsonObject) -> Decoded:
    losses: list[Loss] = []
    model = reading.text(body.get("model"), "model")
    if not model:
        raise RequestError("model", "must not be empty")
    system, turns = _history(body, losses)
    tools = decode_tools.tools(body.get("tools"), losses)
    choice, parallel = decode_tools.tool_choice(body.get("tool_choice"))
    params, others = decode_params.params(body, parallel)
    others |= {key: value for key, value in body.items() if key not in _CONSUMED | _DROPPED}
    _refuse_skills(body.get("container"))
    request = Request("anthropic", model, turns, system, tools, choice, params, others)
    return Decoded(request, tuple(losses))


def _history(body: JsonObject, losses: list[Loss]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """The system text and the turns; system messages before the first turn belong to the former."""
    system = list(_system(body.get("system")))
    turns: list[Turn] = []
    messages = reading.array(body.get("messages"), "messages")
    if not messages:
        raise RequestError("messages", "must hold at least one message")
    for index, value in enumerate(messages):
        turn = _turn(value, f"messages.{index}", losses)
        if turn.role == "system" and not turns:
            system += [part for part in turn.parts if isinstance(part, Text)]
        elif turn.parts:
            turns.append(turn)
    return tuple(system), tuple(turns)


def _system(value: object) -> Iterator[Text]:
    if value is None:
        return
    if isinstance(value, str):
        value = [{"type": "text", "text": value}]
    for index, item in enumerate(reading.array(value, "system")):
        path = f"system.{index}"
        block = reading.mapping(item, path)
        if reading.text(block.get("type"), f"{path}.type") != "text":
            raise RequestError(f"{path}.type", "must be 'text'")
        if text := _without_billing(reading.text(block.get("text"), f"{path}.text")):
            yield Text(text)


def _without_billing(text: str) -> str:
    """Claude Code puts a line about itself first, which is no prompt (measured with 2.1.330)."""
    return text.partition("\n")[2] if text.startswith(_BILLING) else text


def _turn(value: object, path: str, losses: list[Loss]) -> Turn:
    message = reading.mapping(value, path)
    blocks = BlockReader(losses)
    content = message.get("content")
    unknown = (key for key in message if key not in ("role", "content"))
    losses += [Loss(f"{path}.{key}", "Only Anthropic knows this field of a message.") for key in unknown]
    match reading.text(message.get("role"), f"{path}.role"):
        case "user" as role:
            return Turn(role, blocks.user(content, f"{path}.content"), path)
        case "assistant" as role:
            return Turn(role, blocks.assistant(content, f"{path}.content"), path)
        case "system" as role:
            return Turn(role, blocks.system(content, f"{path}.content"), path)
    raise RequestError(f"{path}.role", "must be 'user', 'assistant' or 'system'")


def _refuse_skills(container: Any) -> None:
    if isinstance(container, dict) and container.get("skills"):
        raise RequestError("container.skills", "needs Anthropic's own container: leave it out")
