"""How to answer, from the wire (API reference, read 2026-11-22)."""

from typing import Any

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import EFFORTS, Effort, OutputFormat, Params, Thinking
from ccproxy.formats.reading import array, boolean, integer, mapping, number, optional, text, texts

PARAMS = {
    "audio", "function_call", "functions", "max_completion_tokens", "max_tokens", "messages", "metadata",
    "modalities", "model", "n", "parallel_tool_calls", "prompt_cache_key", "reasoning_effort",
    "response_format", "safety_identifier", "service_tier", "stop", "store", "stream", "stream_options",
    "temperature", "tool_choice", "tools", "top_p", "user", "verbosity",
}  # fmt: skip
"""The fields that have a place in the neutral request, or none at all."""

_DEFAULTS: JsonObject = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "top_logprobs": 0,
}
"""Values that say what the provider does anyway."""


def decode_params(body: JsonObject) -> Params:
    """Raises RequestError for what is wrong, and for what asks for another answer: several choices, audio."""
    _refuse(body)
    options = optional(mapping, body.get("stream_options"), "stream_options") or {}
    include_usage = options.get("include_usage")
    parallel = optional(boolean, body.get("parallel_tool_calls"), "parallel_tool_calls")
    return Params(
        max_tokens=_max_tokens(body),
        temperature=optional(number, body.get("temperature"), "temperature"),
        top_p=optional(number, body.get("top_p"), "top_p"),
        stop=_stop(body.get("stop")),
        stream=optional(boolean, body.get("stream"), "stream") or False,
        include_usage=optional(boolean, include_usage, "stream_options.include_usage") or False,
        # the deprecated functions are called one at a time
        parallel_tool_calls=False if body.get("functions") else parallel,
        thinking=Thinking(effort=optional(_effort, body.get("reasoning_effort"), "reasoning_effort")),
        output=optional(_output, body.get("response_format"), "response_format"),
        verbosity=optional(text, body.get("verbosity"), "verbosity"),
        service_tier=optional(text, body.get("service_tier"), "service_tier"),
        cache_key=optional(text, body.get("prompt_cache_key"), "prompt_cache_key"),
        user=optional(text, body.get("user"), "user"),
        safety_identifier=optional(text, body.get("safety_identifier"), "safety_identifier"),
        metadata=optional(mapping, body.get("metadata"), "metadata"),
        store=optional(boolean, body.get("store"), "store"),
    )


def others(body: JsonObject) -> JsonObject:
    """What Chat Completions alone can say, and fields that nobody knows; null and defaults are left out."""
    return {
        name: value
        for name, value in body.items()
        if name not in PARAMS and value is not None and not _is_default(name, value)
    }


def _is_default(name: str, value: object) -> bool:
    return name in _DEFAULTS and value == _DEFAULTS[name]


def _refuse(body: JsonObject) -> None:
    choices = optional(integer, body.get("n"), "n")
    if choices is not None and choices != 1:
        raise RequestError("n", "must be 1: the provider gives one answer to a request")
    modalities = optional(texts, body.get("modalities"), "modalities") or ()
    if any(modality != "text" for modality in modalities):
        raise RequestError("modalities", "may hold text only: the provider gives no audio")
    if body.get("audio") is not None:
        raise RequestError("audio", "cannot be asked for: the provider gives none")


def _max_tokens(body: JsonObject) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        if (limit := optional(integer, body.get(name), name)) is not None:
            if limit < 1:
                raise RequestError(name, "must be at least 1")
            return limit
    return None


def _stop(value: Any) -> tuple[str, ...]:
    if value is None or isinstance(value, str):
        return (value,) if value else ()
    return tuple(text(item, f"stop.{i}") for i, item in enumerate(array(value, "stop")) if item != "")


def _effort(value: object, path: str) -> Effort:
    level = text(value, path)
    if level == "ultra":
        return "max"
    for effort in EFFORTS:
        if effort == level:
            return effort
    raise RequestError(path, f"must be one of {', '.join(EFFORTS)}, not {level!r}")


def _output(value: object, path: str) -> OutputFormat | None:
    wanted = mapping(value, path)
    match text(wanted.get("type"), f"{path}.type"):
        case "text":
            return None
        case "json_object":
            return OutputFormat(None)
        case "json_schema":
            inner = f"{path}.json_schema"
            schema = mapping(wanted.get("json_schema"), inner)
            return OutputFormat(
                optional(mapping, schema.get("schema"), f"{inner}.schema"),
                optional(text, schema.get("name"), f"{inner}.name"),
                optional(text, schema.get("description"), f"{inner}.description"),
                optional(boolean, schema.get("strict"), f"{inner}.strict"),
            )
        case other:
            raise RequestError(f"{path}.type", f"must be text, json_object or json_schema, not {other!r}")
