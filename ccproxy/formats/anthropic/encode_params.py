"""The parameters of a request as Anthropic takes them (Messages API reference, read 2026-11-22)."""

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import OutputFormat, Request
from ccproxy.formats.anthropic.paths import path
from ccproxy.formats.anthropic.schemas import closed, opens
from ccproxy.formats.arguments import compact

_TIERS = {"auto": "auto", "default": "standard_only"}


def max_tokens(request: Request, facts: ModelFacts, losses: list[Loss]) -> int:
    """What the client asked for, as far as the model goes; else all that the model may write."""
    asked = request.params.max_tokens
    if asked is None:
        return facts.max_tokens
    if asked < 1 and request.wire != "anthropic":
        raise RequestError(path(request.wire, "max_tokens"), "must be at least 1")
    if asked > facts.max_tokens:
        at = path(request.wire, "max_tokens")
        losses.append(Loss(at, f"The model writes {facts.max_tokens} tokens at most.", "clamped"))
    return min(asked, facts.max_tokens)


def sampling(request: Request, facts: ModelFacts, thinks: bool, losses: list[Loss]) -> JsonObject:
    """`temperature`, else `top_p`, and `top_k`, for a model that takes them and does not think.

    A value that means "as ever" is left out without a word.
    """
    params = request.params
    asked: JsonObject = {"temperature": params.temperature, "top_p": params.top_p, "top_k": params.top_k}
    asked = {key: value for key, value in asked.items() if value is not None}
    if thinks or not facts.sampling:
        why = "A model that thinks takes no sampling." if facts.sampling else "The model takes no sampling."
        losses += [Loss(key, why) for key, value in asked.items() if key == "top_k" or value != 1]
        return {}
    if "temperature" in asked and asked["temperature"] > 1:
        asked["temperature"] = 1.0
        losses.append(Loss("temperature", "Claude takes 1 at most.", "clamped"))
    if "temperature" in asked and asked.pop("top_p", 1) != 1:
        losses.append(Loss("top_p", "Claude takes temperature or top_p, not both."))
    return asked


def stop_sequences(request: Request, losses: list[Loss]) -> list[str]:
    stop = request.params.stop
    if any(not text.strip() for text in stop):
        losses.append(Loss(path(request.wire, "stop"), "Claude does not stop at white space.", "shortened"))
    return [text for text in stop if text.strip()]


def service(request: Request, losses: list[Loss]) -> JsonObject:
    """`service_tier`, or `speed` for a Messages client that asked for it."""
    tier = request.params.service_tier
    if tier is None:
        return {}
    if tier in _TIERS:
        return {"service_tier": _TIERS[tier]}
    if tier == "priority" and request.wire == "anthropic":
        return {"speed": "fast"}
    losses.append(Loss("service_tier", f"Claude has no tier {tier!r}."))
    return {}


def output_format(
    request: Request, facts: ModelFacts, losses: list[Loss]
) -> tuple[JsonObject | None, str | None]:
    """`output_config.format`, or words for the system prompt where the model has nothing like it."""
    wanted = request.params.output
    if wanted is None:
        return None, None
    at = path(request.wire, "output")
    if wanted.schema is not None and facts.structured:
        if opens(wanted.schema):
            losses.append(Loss(at, "Objects hold no properties but those that are named.", "closed"))
        return {"type": "json_schema", "schema": closed(wanted.schema)}, None
    losses.append(Loss(at, "The model is told in words.", "described"))
    return None, _told(wanted)


def note_losses(request: Request, losses: list[Loss]) -> None:
    """Everything else that the client may say and Claude has no word for."""
    params = request.params
    said = {
        "verbosity": params.verbosity not in (None, "medium"),
        "cache_key": params.cache_key is not None,
        "metadata": bool(params.metadata),
        "store": params.store is True and request.wire == "chat",
    }
    losses += [
        Loss(path(request.wire, field), "Claude has nothing like it.")
        for field, is_said in said.items()
        if is_said
    ]
    if request.wire != "anthropic":
        losses += [Loss(key, "Claude has nothing like it.") for key in request.others]


def put_back(request: Request, body: JsonObject) -> None:
    """What a Messages client said and only Anthropic understands, each at its place."""
    if request.wire != "anthropic":
        return
    for at, value in request.others.items():
        field, _, key = at.partition(".")
        if field in ("thinking", "output_config", "metadata") and key:
            body.setdefault(field, {})[key] = value
        else:
            body[at] = value
    if request.params.user is not None:
        body.setdefault("metadata", {})["user_id"] = request.params.user


def _told(wanted: OutputFormat) -> str:
    if wanted.schema is None:
        return "Answer with a single JSON object and nothing else: no prose, no code fence."
    return (
        "Answer with JSON that fits this schema and nothing else: no prose, no code fence.\n"
        f"{compact(wanted.schema)}"
    )
