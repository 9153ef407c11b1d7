"""How a Responses client wants its answer (API reference, read 2026-11-22)."""

from collections.abc import Callable
from dataclasses import replace

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import EFFORTS, Effort, OutputFormat, Params, Thinking
from ccproxy.formats import reading


def decode_params(body: JsonObject) -> Params:
    def read[T](reader: Callable[[object, str], T], name: str) -> T | None:
        return reading.optional(reader, body.get(name), name)

    return _with_text(
        Params(
            max_tokens=read(reading.integer, "max_output_tokens"),
            temperature=read(reading.number, "temperature"),
            top_p=read(reading.number, "top_p"),
            stream=read(reading.boolean, "stream") or False,
            include_usage=True,
            parallel_tool_calls=read(reading.boolean, "parallel_tool_calls"),
            thinking=decode_reasoning(body.get("reasoning"), "reasoning"),
            service_tier=read(reading.text, "service_tier"),
            cache_key=read(reading.text, "prompt_cache_key"),
            user=read(reading.text, "user"),
            safety_identifier=read(reading.text, "safety_identifier"),
            metadata=read(reading.mapping, "metadata"),
            store=read(reading.boolean, "store"),
        ),
        body.get("text"),
        "text",
    )


def updated(params: Params, update: JsonObject, path: str) -> Params:
    """After a `configuration_update` item: what it says replaces what was said before."""
    if update.get("reasoning") is not None:
        said = decode_reasoning(update["reasoning"], f"{path}.reasoning")
        thinking = replace(params.thinking, effort=said.effort or params.thinking.effort)
        params = replace(params, thinking=thinking)
    return _with_text(params, update.get("text"), f"{path}.text")


def decode_reasoning(value: object, path: str) -> Thinking:
    reasoning = reading.optional(reading.mapping, value, path) or {}
    summary = reasoning.get("summary") or reasoning.get("generate_summary")
    return Thinking(
        effort=_effort(reasoning.get("effort"), f"{path}.effort"),
        summary=reading.optional(reading.text, summary, f"{path}.summary"),
    )


def _effort(value: object, path: str) -> Effort | None:
    name = reading.optional(reading.text, value, path)
    if name is None:
        return None
    for effort in EFFORTS:
        # ultra is a name of the Codex models for the most there is
        if effort == ("max" if name == "ultra" else name):
            return effort
    raise RequestError(path, f"must be one of {', '.join(EFFORTS)}")


def _with_text(params: Params, value: object, path: str) -> Params:
    text = reading.optional(reading.mapping, value, path) or {}
    form = reading.optional(reading.mapping, text.get("format"), f"{path}.format")
    verbosity = reading.optional(reading.text, text.get("verbosity"), f"{path}.verbosity")
    return replace(
        params,
        output=_output(form, f"{path}.format") if form else params.output,
        verbosity=verbosity or params.verbosity,
    )


def _output(form: JsonObject, path: str) -> OutputFormat | None:
    match reading.text(form.get("type"), f"{path}.type"):
        case "text":
            return None
        case "json_object":
            return OutputFormat(None)
        case "json_schema":
            return OutputFormat(
                reading.mapping(form.get("schema"), f"{path}.schema"),
                reading.optional(reading.text, form.get("name"), f"{path}.name"),
                reading.optional(reading.text, form.get("description"), f"{path}.description"),
                reading.optional(reading.boolean, form.get("strict"), f"{path}.strict"),
            )
    raise RequestError(f"{path}.type", "must be text, json_object or json_schema")
