"""What the endpoints of the ChatGPT backend share: headers, the credential check, running a request."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from ccproxy.simulator.codex import catalogue, limits
from ccproxy.simulator.codex.caller import Caller, identify
from ccproxy.simulator.codex.errors import UsageLimit, asked_for
from ccproxy.simulator.delivery import JsonAnswer
from ccproxy.simulator.openai.checking import validate
from ccproxy.simulator.openai.endpoint import decoded
from ccproxy.simulator.openai.errors import ApiError, missing_parameter
from ccproxy.simulator.openai.responses_request import ResponsesRequest
from ccproxy.simulator.openai.responses_rules import check
from ccproxy.simulator.openai.responses_run import Answer, Backend, answer, converse
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.state import Simulator

TURN_STATE = "x-codex-turn-state"


@dataclass(frozen=True, slots=True)
class Call:
    """A request with a good credential. `body` is decoded; `headers` belong into the answer."""

    request: Request
    caller: Caller
    body: bytes
    headers: dict[str, str]


type Handler = Callable[[Call], Awaitable[Response]]


def endpoint(
    sim: Simulator, handler: Handler, *, needs_originator: bool = True
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """`handler` behind the credential check; an ApiError becomes the answer."""

    async def respond(request: Request) -> Response:
        raw = await request.body()
        headers = answer_headers(sim, raw, request.headers)
        try:
            caller = identify(sim, request.headers, needs_originator=needs_originator)
            return await handler(Call(request, caller, decoded(request, raw), headers))
        except ApiError as error:
            return refusal(sim, error, headers)

    return respond


def refusal(sim: Simulator, error: ApiError, headers: dict[str, str]) -> Response:
    if isinstance(error, UsageLimit):
        headers = headers | limits.headers(sim.tokens.clock(), error.resets_at)
    return JsonAnswer(error.body, headers | error.headers, status=error.status)


def answer_headers(sim: Simulator, body: bytes, asked: Headers) -> dict[str, str]:
    """Ids, plan windows and, on the first request of a turn, the state that the next ones send back."""
    request_id = sim.new_id("req_", body)
    found = {
        "x-request-id": request_id,
        "x-oai-request-id": request_id,
        "cf-ray": sim.new_id("", body, 16).lower() + "-FRA",
        "x-models-etag": catalogue.listing("999.0.0")[1],
        "x-reasoning-included": "true",
        **limits.headers(sim.tokens.clock()),
    }
    if TURN_STATE not in asked:
        found[TURN_STATE] = sim.new_id("ts_", body)
    return found


def run(
    sim: Simulator,
    data: dict[str, Any],
    caller: Caller,
    body: bytes,
    memory: ResponseStore,
    *,
    generate: bool = True,
) -> Answer:
    """Answers a checked body; `memory` holds what this connection has said. Raises ApiError."""
    wanted = validate(ResponsesRequest, data)
    if wanted.model is None:
        raise missing_parameter("model")
    model = catalogue.find(wanted.model)
    check(wanted, model, needs_input=False)
    before = wanted.previous_response_id
    talk = converse(wanted, memory, memory.previous(before) if before else None)
    backend = Backend(
        default_encrypted=False,
        completes_output=False,
        prelude=[limits.event(sim.tokens.clock(), caller.plan)],
        error=lambda fault: asked_for(fault, sim.tokens.clock()),
    )
    reply = answer(sim, wanted, model, talk.history, body, backend, generate=generate)
    if reply.script.fault is None:
        memory.keep(reply.response, [], talk.asked, talk.history)
    return reply
