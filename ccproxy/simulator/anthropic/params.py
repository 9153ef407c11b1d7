"""Rules for the request's parameters: tokens, sampling, stop sequences, tools, cache marks, beta gates."""

from collections.abc import Iterator, Mapping
from typing import Any

from ccproxy.simulator.anthropic.caller import NEW_VERSION, Caller
from ccproxy.simulator.anthropic.catalogue import Model, betas
from ccproxy.simulator.anthropic.errors import invalid
from ccproxy.simulator.anthropic.request import Conversation, MessagesRequest
from ccproxy.simulator.anthropic.tools import NAMES, CustomTool, NamedChoice, Toolset, WebTool

MAX_CACHE_MARKS = 4
SAMPLING = ("temperature", "top_p", "top_k")
DEFAULTS = {"temperature": 1, "top_p": 1}


def check(request: Conversation, raw: Mapping[str, Any], caller: Caller, model: Model) -> None:
    """Raises `ApiError` for the first rule that is broken. `raw` is the body as plain JSON."""
    for path, kind, name, flags in _gates(request, raw):
        if not caller.has_any(flags):
            raise invalid(_closed(path, kind, name))
    if isinstance(request, MessagesRequest):
        _check_tokens(request, model)
        _check_sampling(request, raw, caller, model)
        for index, sequence in enumerate(request.stop_sequences or []):
            if not sequence.strip():
                raise invalid(f"stop_sequences.{index}: each stop sequence must contain non-whitespace")
    _check_tools(request)
    _check_formats(request)
    _check_cache_marks(raw)


# --- beta gates --------------------------------------------------------------------------------------


def _gates(request: Conversation, raw: Mapping[str, Any]) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    """What the request uses of beta features: (path, kind, name, flags of which one is needed)."""
    gates = betas()
    for field in raw:
        if field in gates.fields:
            yield field, "field", field, gates.fields[field]
    for path, name in _nested(request):
        yield path, "field", name, gates.nested[name]
    for index, message in enumerate(request.messages):
        for number, block in enumerate(message.content):
            if block.type in gates.blocks:
                yield f"messages.{index}.content.{number}", "tag", block.type, gates.blocks[block.type]
    for index, tool in enumerate(request.tools or []):
        if tool.type in gates.tools:
            yield f"tools.{index}", "tag", str(tool.type), gates.tools[str(tool.type)]
    for path, mark in _cache_marks(raw):
        if "scope" in mark:
            yield f"{path}.cache_control.scope", "field", "scope", gates.nested["cache_control.scope"]


def _nested(request: Conversation) -> Iterator[tuple[str, str]]:
    for index, message in enumerate(request.messages):
        if message.output_config is not None:
            yield f"messages.{index}.output_config", "messages.output_config"
        if message.clear_at is not None:
            yield f"messages.{index}.clear_at", "messages.clear_at"
    if request.output_config is not None and request.output_config.task_budget is not None:
        yield "output_config.task_budget", "output_config.task_budget"
    if getattr(request.thinking, "block_binding", None) is not None:
        yield "thinking.block_binding", "thinking.block_binding"
    if getattr(request.thinking, "display", None) == "updates":
        yield "thinking.display", "thinking.display.updates"


def _closed(path: str, kind: str, name: str) -> str:
    if kind == "tag":
        return f"{path}: Input tag '{name}' found using 'type' does not match any of the expected tags"
    if name == "thinking.display.updates":
        return f"{path}: Input should be 'summarized' or 'omitted'"
    return f"{path}: Extra inputs are not permitted"


# --- numbers and strings -----------------------------------------------------------------------------


def _check_tokens(request: MessagesRequest, model: Model) -> None:
    if request.max_tokens > model.output:
        raise invalid(
            f"max_tokens: {request.max_tokens} > {model.output}, which is the maximum allowed number of "
            f"output tokens for {model.id}"
        )


def _check_sampling(request: MessagesRequest, raw: Mapping[str, Any], caller: Caller, model: Model) -> None:
    given = [name for name in SAMPLING if name in raw]
    if given and caller.version == NEW_VERSION:
        raise invalid(f"{given[0]}: not supported with anthropic-version {NEW_VERSION}")
    for name in given:
        value = getattr(request, name)
        if model.sampling == "fixed" and value is not None and value != DEFAULTS.get(name):
            raise invalid(f"`{name}` is deprecated for this model.")
    if model.sampling == "one" and request.temperature is not None and request.top_p is not None:
        raise invalid("`temperature` and `top_p` cannot both be specified for this model.")


# --- tools and formats -------------------------------------------------------------------------------


def _check_tools(request: Conversation) -> None:
    tools = request.tools or []
    names: list[str] = []
    for index, tool in enumerate(tools):
        if isinstance(tool, Toolset):
            continue
        names.append(tool.name)
        if isinstance(tool, CustomTool):
            _check_input_schema(f"tools.{index}.custom", tool)
            continue
        fixed = next(name for start, name in NAMES.items() if tool.type.startswith(start))
        if tool.name != fixed:
            raise invalid(f"tools.{index}.{tool.type}.name: Input should be '{fixed}'")
        if isinstance(tool, WebTool) and tool.allowed_domains and tool.blocked_domains:
            raise invalid(f"tools.{index}: only one of allowed_domains and blocked_domains may be given")
    if len(set(names)) < len(names):
        raise invalid("tools: Tool names must be unique.", code="tool_name_conflict")
    choice = request.tool_choice
    if choice is not None and choice.type in ("any", "tool") and not tools:
        raise invalid("tool_choice may only be specified while providing tools.")
    if isinstance(choice, NamedChoice) and choice.name not in names:
        raise invalid(f"Tool '{choice.name}' not found in provided tools")


def _check_input_schema(path: str, tool: CustomTool) -> None:
    extra = tool.input_schema.model_extra or {}
    for word in ("oneOf", "allOf", "anyOf"):
        if word in extra:
            raise invalid(
                f"{path}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
            )
    if tool.strict:
        _check_closed_objects(f"{path}.input_schema", tool.input_schema.model_dump(exclude_unset=True))


def _check_formats(request: Conversation) -> None:
    if request.output_config is not None and request.output_config.format is not None:
        _check_closed_objects("output_config.format.schema", request.output_config.format.json_schema)
    if request.output_format is not None:
        _check_closed_objects("output_format.schema", request.output_format.json_schema)


def _check_closed_objects(path: str, schema: Any) -> None:
    """Constrained decoding needs every object to say that it has no further keys."""
    if isinstance(schema, list):
        for item in schema:
            _check_closed_objects(path, item)
    elif isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            raise invalid(
                f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )
        for key, item in schema.items():
            if key not in ("enum", "const", "default", "examples"):
                _check_closed_objects(path, item)


# --- prompt caching ----------------------------------------------------------------------------------


def _check_cache_marks(raw: Mapping[str, Any]) -> None:
    marks = list(_cache_marks(raw))
    if raw.get("cache_control"):
        marks.append(("", raw["cache_control"]))
    if len(marks) > MAX_CACHE_MARKS:
        raise invalid(
            f"A maximum of {MAX_CACHE_MARKS} blocks with cache_control may be provided. Found {len(marks)}."
        )
    short = False
    for path, mark in marks:
        if mark.get("ttl") == "1h" and short and path:
            raise invalid(
                f"{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block."
            )
        short = short or mark.get("ttl") != "1h"


def _cache_marks(raw: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every `cache_control` on a tool, system block or content block, in the order of the prompt."""
    for place in ("tools", "system"):
        yield from _marks_in(place, raw.get(place))
    for index, message in enumerate(raw["messages"]):
        yield from _marks_in(f"messages.{index}.content", message["content"])


def _marks_in(path: str, blocks: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(blocks, list):
        return
    for number, block in enumerate(blocks):
        if mark := block.get("cache_control"):
            yield f"{path}.{number}", mark
        if block.get("type") == "tool_result":
            yield from _marks_in(f"{path}.{number}.content", block.get("content"))
