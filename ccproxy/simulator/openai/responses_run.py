"""From a checked Responses request to its answer, for every way it can come in (HTTP, WebSocket, Codex)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ccproxy.simulator.delivery import Frame
from ccproxy.simulator.openai.catalogue import Model
from ccproxy.simulator.openai.errors import ApiError, scripted
from ccproxy.simulator.openai.responses_events import Event, ResponseWriter
from ccproxy.simulator.openai.responses_items import Item, ItemReference
from ccproxy.simulator.openai.responses_object import ResponseObject
from ccproxy.simulator.openai.responses_prompt import offer, segments, to_prompt
from ccproxy.simulator.openai.responses_request import ResponsesRequest
from ccproxy.simulator.openai.responses_rules import check_items, check_pairs
from ccproxy.simulator.openai.responses_store import ResponseStore, Stored
from ccproxy.simulator.openai.usage import check_context, measure
from ccproxy.simulator.script import HttpError, Script
from ccproxy.simulator.state import Simulator


@dataclass(frozen=True, slots=True)
class Conversation:
    """`asked` is the input of this request, `history` all that was said before it and this input."""

    asked: list[Item]
    history: list[Item]


@dataclass(frozen=True, slots=True)
class Answer:
    """`failure(n)` is the event that ends the stream after n events when the script says so."""

    script: Script
    events: list[Event]
    response: dict[str, Any]
    usage: dict[str, Any]
    failure: Callable[[int], dict[str, Any]]

    @property
    def frames(self) -> list[Frame]:
        return [Frame(sse(event.data), event.pause) for event in self.events]


@dataclass(frozen=True, slots=True)
class Backend:
    """What the servers that speak Responses do differently."""

    default_encrypted: bool = True
    """Reasoning carries its encrypted content although nobody asked."""
    completes_output: bool = True
    """The terminal event repeats the output."""
    prelude: Sequence[dict[str, Any]] = ()
    """Events before the first one of the response, without a sequence number."""
    error: Callable[[HttpError], ApiError] = scripted
    """The error that a scenario asks for."""


def converse(request: ResponsesRequest, store: ResponseStore, previous: Stored | None) -> Conversation:
    """The whole conversation, checked. Raises ApiError."""
    asked = request.items
    check_items(asked, store)
    known = [store.items[item.id] if isinstance(item, ItemReference) else item for item in asked]
    history = [*previous.history, *known] if previous is not None else known
    check_pairs(history)
    return Conversation(known, history)


def answer(
    sim: Simulator,
    request: ResponsesRequest,
    model: Model,
    history: list[Item],
    body: bytes,
    backend: Backend,
    *,
    generate: bool = True,
) -> Answer:
    """Runs the scenario of the conversation. Raises ApiError for a fault that is an HTTP error."""
    offered = offer(request, history)
    prompt = segments(request, history)
    check_context(prompt, model, "input")
    script = sim.script(to_prompt(request, model, history, offered)) if generate else Script(())
    if isinstance(script.fault, HttpError):
        raise backend.error(script.fault)
    response = ResponseObject(
        id=sim.new_id("resp_", body),
        request=request,
        model=model,
        script=script,
        input=measure(sim, f"{model.id} {request.prompt_cache_key}", prompt),
    )
    writer = ResponseWriter(
        response,
        lambda prefix: sim.new_id(prefix, body),
        namespaces=offered.namespaces,
        hosted=offered.hosted,
        gives_encrypted=backend.default_encrypted or "reasoning.encrypted_content" in (request.include or ()),
        completes_output=backend.completes_output,
    )
    prelude = [Event(data) for data in backend.prelude]
    events = [*prelude, *writer.write()]
    return Answer(
        script,
        events,
        writer.complete,
        response.usage,
        lambda after: writer.failure(max(min(after, len(events)) - len(prelude), 0)),
    )


def sse(data: dict[str, Any]) -> bytes:
    """A server-sent event that is named by its type."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {data['type']}\ndata: {text}\n\n".encode("utf-8", "surrogatepass")
