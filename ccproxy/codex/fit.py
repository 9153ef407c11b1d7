"""A Responses request as the backends of a ChatGPT plan take it; what they do not take is in `rules.toml`.

For clients other than Codex itself. Pure, and the same request gives the same bytes in every turn: fields
stay in their order, and what is added goes behind them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ccproxy.codex.rules import Rules
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats import carrier, reading
from ccproxy.formats.anthropic import paths

_WITH_STATUS = frozenset(
    ("message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output")
)
"""Items that may be sent back with their `status`, and need not be; some models refuse it."""

_FROM_CLIENT = frozenset(("additional_tools", "compaction_trigger", "configuration_update", "item_reference"))
"""Items that are not said by the model, besides messages and what ends in `_output` or `_response`."""

_NO_ARGUMENTS: JsonObject = {"type": "object", "properties": {}, "additionalProperties": False}


def names_of(wire: Wire) -> dict[str, str]:
    """What a client of this format calls the fields of a Responses request that a loss can name."""
    return {"max_output_tokens": paths.path(wire, "max_tokens"), "input": paths.path(wire, "turns")}


@dataclass(frozen=True, slots=True)
class Fitted:
    """The body to send, and what of the client's request is not in it."""

    body: JsonObject
    losses: tuple[Loss, ...] = ()


def fit(
    body: JsonObject,
    rules: Rules,
    *,
    instructions: str,
    session: str,
    names: Mapping[str, str] | None = None,
) -> Fitted:
    """The request for a backend with these rules.

    `instructions` go in front of the client's own, `session` is the cache key of a client that has none;
    both may be empty. `names` are the client's words for the fields, in losses and errors. Raises
    RequestError for a wrong type, and for what must not be left out.
    """
    fitting = _Fitting(rules)
    try:
        fitted = fitting.fit(body, instructions, session)
    except RequestError as error:
        raise RequestError(_renamed(error.path, names or {}), str(error)) from None
    losses = (replace(loss, path=_renamed(loss.path, names or {})) for loss in fitting.losses)
    return Fitted(fitted, tuple(losses))


def _renamed(path: str, names: Mapping[str, str]) -> str:
    field, dot, rest = path.partition(".")
    return names.get(field, field) + dot + rest


class _Fitting:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.losses: list[Loss] = []

    def fit(self, body: JsonObject, instructions: str, session: str) -> JsonObject:
        reading.text(body.get("model"), "model")
        fixed = self._always(body, instructions, session)
        fixed["input"] = self._input(body.get("input"))
        fixed |= self._tooling(body, fixed["input"])
        fitted: JsonObject = {}
        for name, value in body.items():
            if name in fixed:
                fitted[name] = fixed[name]
            elif self._passes(name, value):
                fitted[name] = value
        fitted |= {name: value for name, value in fixed.items() if name not in fitted}
        return {name: value for name, value in fitted.items() if value is not None or name not in fixed}

    def _always(self, body: JsonObject, instructions: str, session: str) -> JsonObject:
        """What the backend wants to be told, whatever the client says; None for what is to be left out."""
        if reading.optional(reading.boolean, body.get("store"), "store"):
            self._lose("store", f"{self._rules.name} stores nothing.")
        reading.optional(reading.boolean, body.get("stream"), "stream")
        own = reading.optional(reading.text, body.get("instructions"), "instructions") or ""
        fixed: JsonObject = {
            "instructions": _behind(instructions, own),
            "stream": True,
            "store": False,
            "include": self._include(body.get("include")),
        }
        key = reading.optional(reading.text, body.get("prompt_cache_key"), "prompt_cache_key") or session
        if "prompt_cache_key" not in self._rules.strip:
            fixed["prompt_cache_key"] = _short(key, self._rules.most_cache_key) if key else None
        return fixed

    def _include(self, value: object) -> list[str]:
        known = self._rules.include
        asked = reading.optional(reading.texts, value, "include") or ()
        for index, name in enumerate(asked):
            if name not in known:
                self._lose(f"include.{index}", f"{self._rules.name} does not give {name}.")
        return list(dict.fromkeys([*(name for name in asked if name in known), *known]))

    def _passes(self, name: str, value: object) -> bool:
        """Whether a field goes as it is; of one that does not, the loss is noted."""
        if name in self._rules.refused:
            if value is not None:
                raise RequestError(name, self._rules.refused[name])
            return False
        if name in self._rules.hints:
            return False
        if name not in self._rules.strip or value in self._rules.keep.get(name, ()):
            return True
        if value is not None and value not in self._rules.strip[name]:
            self._lose(name, f"{self._rules.name} does not take it.")
        return False

    def _input(self, value: object) -> list[JsonObject]:
        if isinstance(value, str):
            part = {"type": "input_text", "text": value}
            return [{"type": "message", "role": "user", "content": [part]}]
        if value is None:
            raise RequestError("input", "is missing")
        items = [
            reading.mapping(item, f"input.{index}")
            for index, item in enumerate(reading.array(value, "input"))
        ]
        kinds = [_kind(item, f"input.{index}") for index, item in enumerate(items)]
        return self._items(items, kinds)

    def _items(self, items: list[JsonObject], kinds: list[str]) -> list[JsonObject]:
        fitted: list[JsonObject] = []
        orphaned = False
        for index, (item, kind) in enumerate(zip(items, kinds, strict=True)):
            path = f"input.{index}"
            if kind == "item_reference":
                raise RequestError(path, "refers to an item that nobody keeps; send the item itself")
            if kind == "reasoning":
                thought = self._reasoning(item, path, _led_to_something(items, kinds, index))
                fitted += [thought] if thought else []
                orphaned = thought is None
            else:
                fitted.append(self._item(item, kind, path, orphaned))
                orphaned = False
        return fitted

    def _reasoning(self, item: JsonObject, path: str, led_on: bool) -> JsonObject | None:
        """Without its id, which nobody keeps, and without its plain text, which is not taken back."""
        sealed = reading.optional(reading.text, item.get("encrypted_content"), f"{path}.encrypted_content")
        summary = reading.optional(reading.array, item.get("summary"), f"{path}.summary") or []
        if sealed and carrier.is_tagged(sealed):
            carried = carrier.unpack(sealed)
            sealed = carried[0].value if carried and carried[0].provider == "openai" else None
        if not sealed:
            self._lose(path, "Reasoning without encrypted content of OpenAI's cannot be sent back.")
            return None
        if not led_on:
            self._lose(path, "Reasoning cannot be sent back without the item that it led to.")
            return None
        kept = {name: value for name, value in item.items() if name not in ("id", "status", "content")}
        return {**kept, "summary": summary, "encrypted_content": sealed}

    def _item(self, item: JsonObject, kind: str, path: str, orphaned: bool) -> JsonObject:
        fitted = dict(item)
        item_id = reading.optional(reading.text, item.get("id"), f"{path}.id") or ""
        if orphaned or len(item_id) > self._rules.most_item_id:
            # the id of an item whose reasoning is gone would ask for that reasoning
            fitted.pop("id", None)
        if kind in _WITH_STATUS:
            fitted.pop("status", None)
        if kind == "message":
            if reading.text(item.get("role"), f"{path}.role") == "system":
                fitted["role"] = "developer"
            fitted["content"] = self._content(item.get("content"), f"{path}.content")
        elif kind in ("function_call_output", "custom_tool_call_output"):
            fitted["output"] = self._content(item.get("output"), f"{path}.output")
        return fitted

    def _content(self, value: object, path: str) -> str | list[JsonObject]:
        if value is None:
            raise RequestError(path, "is missing")
        if isinstance(value, str):
            return value
        parts: list[JsonObject] = []
        for index, part in enumerate(reading.array(value, path)):
            where = f"{path}.{index}"
            fitted = dict(reading.mapping(part, where))
            if fitted.pop("prompt_cache_breakpoint", None) is not None:
                self._lose(f"{where}.prompt_cache_breakpoint", f"{self._rules.name} does not take it.")
            parts.append(fitted)
        return parts

    def _tooling(self, body: JsonObject, items: list[JsonObject]) -> JsonObject:
        """The tools and the choice between them; None for what is to be left out."""
        fixed: JsonObject = {}
        given = reading.optional(reading.array, body.get("tools"), "tools")
        tools = self._tools(given or [], "tools")
        if given is not None:
            fixed["tools"] = tools
        parallel = reading.optional(reading.boolean, body.get("parallel_tool_calls"), "parallel_tool_calls")
        some = bool(tools) or any(item.get("type") == "additional_tools" for item in items)
        fixed["parallel_tool_calls"] = parallel if some else None
        fixed["tool_choice"] = self._choice(body.get("tool_choice"), some)
        return fixed

    def _tools(self, values: list[Any], path: str, inside: bool = False) -> list[JsonObject]:
        tools: list[JsonObject] = []
        for index, value in enumerate(values):
            where = f"{path}.{index}"
            tool = reading.mapping(value, where)
            kind = reading.text(tool.get("type"), f"{where}.type")
            if kind in self._rules.missing_tools:
                self._lose(where, f"{self._rules.name} does not run {kind}.")
            else:
                tools.append(self._tool(tool, kind, where, inside))
        return tools

    def _tool(self, tool: JsonObject, kind: str, path: str, inside: bool) -> JsonObject:
        if kind == "namespace" and not inside:
            inner = reading.optional(reading.array, tool.get("tools"), f"{path}.tools") or []
            return {**tool, "tools": self._tools(inner, f"{path}.tools", inside=True)}
        if kind == "function":
            schema = reading.optional(reading.mapping, tool.get("parameters"), f"{path}.parameters")
            return tool if schema else {**tool, "parameters": _NO_ARGUMENTS}
        return {**tool, "type": self._rules.renamed.get(kind, kind)}

    def _choice(self, value: object, some: bool) -> str | JsonObject | None:
        if value is None or value in ("auto", "none"):
            return value if isinstance(value, str) else None
        if not isinstance(value, str):
            value = self._named(reading.mapping(value, "tool_choice"))
        if not some:
            raise RequestError("tool_choice", "asks for a tool, and there is none")
        return value

    def _named(self, choice: JsonObject) -> str | JsonObject:
        choice = self._reference(choice, "tool_choice")
        allowed = choice["type"] == "allowed_tools"
        if allowed:
            tools = reading.array(choice.get("tools"), "tool_choice.tools")
            choice["tools"] = [
                self._reference(reading.mapping(tool, where), where)
                for index, tool in enumerate(tools)
                for where in [f"tool_choice.tools.{index}"]
            ]
        if self._rules.named_choice:
            return choice
        self._lose("tool_choice", f"{self._rules.name} cannot be told which tool to call.", "relaxed")
        return reading.text(choice.get("mode"), "tool_choice.mode") if allowed else "required"

    def _reference(self, tool: JsonObject, path: str) -> JsonObject:
        """What names a tool, under the type that the backend has for it."""
        kind = reading.text(tool.get("type"), f"{path}.type")
        if kind in self._rules.missing_tools:
            raise RequestError(path, f"names the tool {kind}, which does not run there")
        return {**tool, "type": self._rules.renamed.get(kind, kind)}

    def _lose(self, path: str, why: str, note: str = "") -> None:
        self.losses.append(Loss(path, why, note))


def _kind(item: JsonObject, path: str) -> str:
    kind = reading.optional(reading.text, item.get("type"), f"{path}.type")
    if kind is not None:
        return kind
    # an easy message leaves its type out, and so does a reference, which is an id and nothing else
    return "item_reference" if "id" in item and "role" not in item else "message"


def _led_to_something(items: list[JsonObject], kinds: list[str], index: int) -> bool:
    """Whether the next item that is no reasoning is the model's too."""
    after = next((at for at in range(index + 1, len(items)) if kinds[at] != "reasoning"), None)
    if after is None:
        return False
    if kinds[after] == "message":
        return items[after].get("role") == "assistant"
    return kinds[after] not in _FROM_CLIENT and not kinds[after].endswith(("_output", "_response"))


def _behind(instructions: str, own: str) -> str:
    """The client's text behind the instructions, unless it begins with them already."""
    if own.startswith(instructions):
        return own
    return f"{instructions}\n\n{own}" if own else instructions


def _short(key: str, limit: int) -> str:
    if len(key) <= limit:
        return key
    # half of a surrogate pair has no bytes of its own in UTF-8
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:limit]
