"""How the client of a Messages request wants to be answered (Messages API reference, read 2026-11-22)."""

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import EFFORTS, OutputFormat, Params, Thinking
from ccproxy.formats import reading
from ccproxy.formats.reading import optional

CONSUMED = frozenset(
    {"max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream", "thinking", "output_config"}
    | {"output_format", "service_tier", "speed", "metadata"}
)
"""The fields that are read here."""


def params(body: JsonObject, parallel: bool | None) -> tuple[Params, JsonObject]:
    """The parameters, and what was said inside these fields that no other format can say, by its path."""
    others: JsonObject = {}
    max_tokens = optional(reading.integer, body.get("max_tokens"), "max_tokens")
    if max_tokens is not None and max_tokens < 0:
        raise RequestError("max_tokens", "must not be negative")
    config = optional(reading.mapping, body.get("output_config"), "output_config") or {}
    metadata = optional(reading.mapping, body.get("metadata"), "metadata") or {}
    _keep(others, "output_config", config, {"effort", "format"})
    _keep(others, "metadata", metadata, {"user_id"})
    known = Params(
        max_tokens=max_tokens,
        temperature=optional(reading.number, body.get("temperature"), "temperature"),
        top_p=optional(reading.number, body.get("top_p"), "top_p"),
        top_k=optional(reading.integer, body.get("top_k"), "top_k"),
        stop=optional(reading.texts, body.get("stop_sequences"), "stop_sequences") or (),
        stream=optional(reading.boolean, body.get("stream"), "stream") or False,
        parallel_tool_calls=parallel,
        thinking=_thinking(body.get("thinking"), config, others),
        output=_output(config.get("format"), "output_config.format")
        or _output(body.get("output_format"), "output_format"),
        service_tier=_service_tier(body),
        user=optional(reading.text, metadata.get("user_id"), "metadata.user_id"),
    )
    return known, others


def _thinking(value: object, config: JsonObject, others: JsonObject) -> Thinking:
    wanted = optional(reading.text, config.get("effort"), "output_config.effort")
    effort = next((level for level in EFFORTS if level == wanted), None)
    if wanted is not None and effort is None:
        raise RequestError("output_config.effort", f"must be one of {', '.join(EFFORTS)}")
    if value is None:
        return Thinking(effort=effort)
    thinking = reading.mapping(value, "thinking")
    display = optional(reading.text, thinking.get("display"), "thinking.display")
    summary = None if display in (None, "omitted") else "auto"
    _keep(others, "thinking", thinking, {"type", "budget_tokens", "display", "block_binding"})
    match reading.text(thinking.get("type"), "thinking.type"):
        case "enabled":
            budget = reading.integer(thinking.get("budget_tokens"), "thinking.budget_tokens")
            if budget < 1:
                raise RequestError("thinking.budget_tokens", "must be positive")
            return Thinking("enabled", budget, effort, summary)
        case "adaptive":
            return Thinking("adaptive", None, effort, summary)
        case "disabled":
            return Thinking("disabled", None, effort)
        case "between_tools":
            # no thinking, but notes between the calls, for which nobody else has a name
            others["thinking.type"] = "between_tools"
            return Thinking("disabled", None, effort)
    raise RequestError("thinking.type", "must be 'enabled', 'adaptive', 'disabled' or 'between_tools'")


def _output(value: object, path: str) -> OutputFormat | None:
    if value is None:
        return None
    wanted = reading.mapping(value, path)
    if reading.text(wanted.get("type"), f"{path}.type") != "json_schema":
        raise RequestError(f"{path}.type", "must be 'json_schema'")
    return OutputFormat(reading.mapping(wanted.get("schema"), f"{path}.schema"))


def _service_tier(body: JsonObject) -> str | None:
    """In OpenAI's words, in which `fast` is a tier as well."""
    tier = optional(reading.text, body.get("service_tier"), "service_tier")
    if optional(reading.text, body.get("speed"), "speed") == "fast":
        return "priority"
    return "default" if tier == "standard_only" else tier


def _keep(others: JsonObject, path: str, value: JsonObject, known: set[str]) -> None:
    others |= {f"{path}.{key}": item for key, item in value.items() if key not in known}
