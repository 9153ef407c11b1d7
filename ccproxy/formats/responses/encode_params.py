"""How to answer, towards OpenAI's Responses API (API reference, read 2026-11-22)."""

from ccproxy.conversation.effort import clamp, effort_of
from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import Effort, OutputFormat, Request, Thinking
from ccproxy.formats.names import wire_name
from ccproxy.formats.responses.encode_tools import object_schema

LEAST_TOKENS = 16
"""Less than this is refused as `max_output_tokens`."""

_PATHS: dict[Wire, dict[str, str]] = {
    "anthropic": {
        "effort": "output_config.effort",
        "stop": "stop_sequences",
        "output": "output_config.format",
    },
    "chat": {
        "max_tokens": "max_completion_tokens",
        "effort": "reasoning_effort",
        "thinking": "reasoning_effort",
        "output": "response_format",
    },
    "responses": {
        "max_tokens": "max_output_tokens",
        "effort": "reasoning.effort",
        "thinking": "reasoning",
        "output": "text.format",
    },
}
"""Where a parameter stands in the client's request, when not under our name."""

_TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
_SUMMARIES = ("auto", "concise", "detailed")


def encode_params(request: Request, facts: ModelFacts) -> tuple[JsonObject, list[Loss]]:
    """The fields beside the conversation. Raises RequestError for `max_tokens: 0`."""
    params, losses = request.params, list[Loss]()
    body: JsonObject = {}
    if params.max_tokens is not None:
        body["max_output_tokens"] = _max_tokens(
            params.max_tokens, _path(request, "max_tokens"), facts, losses
        )
    body |= _sampling(request, facts, losses)
    if reasoning := _reasoning(request, facts, losses):
        body["reasoning"] = reasoning
    if text := _text(request):
        body["text"] = text
    if tier := _tier(params.service_tier, losses):
        body["service_tier"] = tier
    if params.cache_key:
        body["prompt_cache_key"] = params.cache_key
    if request.wire != "anthropic":
        # what Anthropic's clients put there is private to them
        body |= {"user": params.user} if params.user else {}
        body |= {"safety_identifier": params.safety_identifier} if params.safety_identifier else {}
        body |= {"metadata": params.metadata} if params.metadata else {}
    body["stream"] = params.stream
    body["store"] = params.store or False
    if _reasons(facts):
        # a model that does not reason refuses to be asked for this
        body["include"] = ["reasoning.encrypted_content"]
    return body, losses


def _path(request: Request, name: str) -> str:
    return _PATHS[request.wire].get(name, name)


def _max_tokens(tokens: int, path: str, facts: ModelFacts, losses: list[Loss]) -> int:
    if tokens <= 0:
        raise RequestError(path, "must be at least 1")
    least, most = LEAST_TOKENS, max(facts.max_tokens, LEAST_TOKENS)
    if least <= tokens <= most:
        return tokens
    losses.append(Loss(path, f"The model takes {least} to {most} tokens.", "clamped"))
    return min(max(tokens, least), most)


def _sampling(request: Request, facts: ModelFacts, losses: list[Loss]) -> JsonObject:
    params = request.params
    asked = {"temperature": params.temperature, "top_p": params.top_p}
    body = {name: value for name, value in asked.items() if value is not None}
    if not facts.sampling:
        losses.extend(Loss(name, "The model takes no sampling parameters.") for name in body)
        body = {}
    if params.top_k is not None:
        losses.append(Loss("top_k", "OpenAI has no top_k."))
    if params.stop:
        losses.append(Loss(_path(request, "stop"), "The Responses API has no stop sequences."))
    return body


def _reasoning(request: Request, facts: ModelFacts, losses: list[Loss]) -> JsonObject:
    thinking = request.params.thinking
    effort, summary = _effort(thinking), _summary(thinking)
    path = _path(request, "effort" if thinking.effort else "thinking")
    if not _reasons(facts):
        if effort not in (None, "none"):
            losses.append(Loss(path, "The model does not reason."))
        return {}
    body: JsonObject = {}
    if effort:
        body["effort"] = clamp(effort, facts.efforts)
        if body["effort"] != effort:
            losses.append(Loss(path, f"The model does not take {effort}.", "clamped"))
    if summary:
        body["summary"] = summary
    return body


def _reasons(facts: ModelFacts) -> bool:
    return facts.reasoning or bool(facts.efforts)


def _effort(thinking: Thinking) -> Effort | None:
    if thinking.mode == "disabled":
        return "none"
    if thinking.effort or thinking.budget is None:
        return thinking.effort
    return effort_of(thinking.budget)


def _summary(thinking: Thinking) -> str | None:
    if thinking.summary is None or thinking.mode == "disabled":
        return None
    return thinking.summary if thinking.summary in _SUMMARIES else "auto"


def _text(request: Request) -> JsonObject:
    params = request.params
    text: JsonObject = {}
    if params.output:
        text["format"] = _format(params.output, _path(request, "output"))
    if params.verbosity:
        text["verbosity"] = params.verbosity
    return text


def _format(output: OutputFormat, path: str) -> JsonObject:
    if output.schema is None:
        return {"type": "json_object"}
    value: JsonObject = {"type": "json_schema", "name": wire_name(output.name or "output", 64, ())}
    if output.description:
        value["description"] = output.description
    return {**value, "schema": object_schema(output.schema, path), "strict": output.strict is True}


def _tier(tier: str | None, losses: list[Loss]) -> str | None:
    tier = "default" if tier == "standard_only" else tier
    if tier is None or tier in _TIERS:
        return tier
    losses.append(Loss("service_tier", f"OpenAI has no service tier {tier}."))
    return None
