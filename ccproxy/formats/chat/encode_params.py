"""How to answer, onto the wire (API reference, read 2026-11-22)."""

from ccproxy.conversation.effort import clamp, effort_of
from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import Effort, OutputFormat, Params, Request, Thinking
from ccproxy.formats.arguments import compact

MOST_STOPS = 4

_PATHS: dict[Wire, dict[str, str]] = {
    "anthropic": {"stop": "stop_sequences", "output": "output_config.format"},
    "chat": {
        "max_tokens": "max_completion_tokens",
        "thinking": "reasoning_effort",
        "output": "response_format",
    },
    "responses": {"max_tokens": "max_output_tokens", "thinking": "reasoning.effort", "output": "text.format"},
}
"""Where a parameter stands in the client's request, when not under our name."""

_IN_WORDS = "Answer with one JSON value that matches this JSON schema, and with nothing else:"


class ParamsEncoder:
    """`fields` are the parameters of the request, `instruction` what has to be said in words instead."""

    def __init__(self, request: Request, facts: ModelFacts) -> None:
        self.fields: JsonObject = {}
        self.losses: list[Loss] = []
        self.instruction: str | None = None
        self._paths = dict(_PATHS[request.wire])
        params = request.params
        if request.wire == "anthropic" and params.thinking.effort:
            self._paths["thinking"] = "output_config.effort"
        self._length(params, facts)
        self._sampling(params, facts)
        self._effort(params.thinking, facts)
        self._output(params.output, facts)
        self._rest(request)
        if params.stream:
            # usage is part of every other format's stream, whether or not this client asked for it
            self.fields |= {"stream": True, "stream_options": {"include_usage": True}}

    def _lose(self, name: str, why: str, note: str = "") -> None:
        self.losses.append(Loss(self._paths.get(name, name), why, note))

    def _length(self, params: Params, facts: ModelFacts) -> None:
        if params.max_tokens is None:
            return
        if params.max_tokens < 1:
            path = self._paths.get("max_tokens", "max_tokens")
            raise RequestError(path, "must be at least 1: Chat Completions always writes something")
        if params.max_tokens > facts.max_tokens:
            self._lose("max_tokens", f"{facts.id} writes {facts.max_tokens} tokens at most.", "clamped")
        self.fields["max_completion_tokens"] = min(params.max_tokens, facts.max_tokens)

    def _sampling(self, params: Params, facts: ModelFacts) -> None:
        for name, value in (("temperature", params.temperature), ("top_p", params.top_p)):
            if value is not None and facts.sampling:
                self.fields[name] = value
            elif value is not None:
                self._lose(name, f"{facts.id} does not take it.")
        if params.top_k is not None:
            self._lose("top_k", "Chat Completions does not know it.")
        if params.stop and facts.reasoning:
            self._lose("stop", f"{facts.id} is a reasoning model, which takes none.")
        elif params.stop:
            self.fields["stop"] = list(params.stop[:MOST_STOPS])
            if len(params.stop) > MOST_STOPS:
                self._lose("stop", f"Chat Completions takes {MOST_STOPS}.", "shortened")

    def _effort(self, thinking: Thinking, facts: ModelFacts) -> None:
        effort = _wanted(thinking)
        if effort is None:
            return
        if not facts.efforts and not facts.reasoning:
            if effort != "none":
                self._lose("thinking", f"{facts.id} has no levels of effort.")
            return
        clamped = clamp(effort, facts.efforts)
        if clamped != effort:
            self._lose("thinking", f"{facts.id} does not take {effort}.", "clamped")
        self.fields["reasoning_effort"] = clamped

    def _output(self, output: OutputFormat | None, facts: ModelFacts) -> None:
        if output is None:
            return
        if output.schema is None:
            self.fields["response_format"] = {"type": "json_object"}
            return
        schema = {name: value for name, value in output.schema.items() if name != "$schema"}
        if not facts.structured:
            self._lose("output", f"{facts.id} takes no schema; it was asked in words.", "instructed")
            self.instruction = f"{_IN_WORDS}\n{compact(schema)}"
            return
        named: JsonObject = {"name": output.name or "output", "schema": schema, "strict": bool(output.strict)}
        if output.description:
            named["description"] = output.description
        self.fields["response_format"] = {"type": "json_schema", "json_schema": named}

    def _rest(self, request: Request) -> None:
        params = request.params
        # a user of Messages is often an account and a session, which are nobody else's business
        user = None if request.wire == "anthropic" else params.user
        named = {
            "verbosity": params.verbosity,
            "service_tier": params.service_tier,
            "prompt_cache_key": params.cache_key,
            "user": user,
            "safety_identifier": params.safety_identifier,
            "metadata": params.metadata,
            "store": params.store,
        }
        self.fields |= {name: value for name, value in named.items() if value is not None}
        for path, value in request.others.items():
            if request.wire == "chat":
                self.fields[path] = value
            else:
                self.losses.append(Loss(path, "Chat Completions has no counterpart."))


def _wanted(thinking: Thinking) -> Effort | None:
    if thinking.mode == "disabled":
        return "none"
    if thinking.effort is None and thinking.budget is not None:
        return effort_of(thinking.budget)
    return thinking.effort
