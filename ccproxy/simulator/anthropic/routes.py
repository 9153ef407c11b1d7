"""The endpoints of api.anthropic.com."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ccproxy.simulator.anthropic import caching, conversation, limits, model_list, params, thinking
from ccproxy.simulator.anthropic.caller import Caller, identify
from ccproxy.simulator.anthropic.catalogue import Model, find_model
from ccproxy.simulator.anthropic.errors import ApiError
from ccproxy.simulator.anthropic.prompt import to_prompt
from ccproxy.simulator.anthropic.reply import Reply, error_event
from ccproxy.simulator.anthropic.request import Conversation, CountRequest, MessagesRequest, read
from ccproxy.simulator.delivery import JsonAnswer, StreamAnswer
from ccproxy.simulator.ledger import entry_of
from ccproxy.simulator.script import HttpError, Script, StreamError, ToolCall
from ccproxy.simulator.state import Simulator

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PROFILE_SCOPE = "user:profile"
THINKING_COUNT = "thinking-token-count-2026-05-13"

type Endpoint = Callable[[Request], Awaitable[Response]]


def routes(sim: Simulator) -> list[BaseRoute]:
    """Every path but those of other upstreams: the last route answers 404 for the rest."""
    upstream = _Anthropic(sim)
    known = {
        "/v1/messages": ("POST", upstream.messages),
        "/v1/messages/count_tokens": ("POST", upstream.count_tokens),
        "/v1/models": ("GET", upstream.models),
        "/v1/models/{id}": ("GET", upstream.model),
        "/api/oauth/usage": ("GET", upstream.usage),
        "/api/oauth/profile": ("GET", upstream.profile),
    }
    found: list[BaseRoute] = [Route("/", upstream.hello, methods=["HEAD"])]
    for path, (method, endpoint) in known.items():
        found.append(Route(path, upstream.guarded(endpoint), methods=[method]))
        found.append(Route(path, upstream.guarded(upstream.wrong_method), methods=METHODS))
    return [*found, Route("/{path:path}", upstream.guarded(upstream.nowhere), methods=METHODS)]


class _Anthropic:
    def __init__(self, sim: Simulator) -> None:
        self.sim = sim

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """`endpoint`, with its `ApiError`s turned into error answers."""

        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except ApiError as error:
                return self._refusal(request, error, await request.body())

        return answer

    async def hello(self, request: Request) -> Response:
        return Response()

    async def wrong_method(self, request: Request) -> Response:
        raise ApiError(405)

    async def nowhere(self, request: Request) -> Response:
        raise ApiError(404)

    async def messages(self, request: Request) -> Response:
        caller = self._identified(request)
        content = await request.body()
        body, raw = read(content, request.headers.get("content-encoding"), MessagesRequest)
        model = _checked(body, raw, caller)
        prompt = to_prompt(body)
        script = self.sim.script(prompt)
        failure = _http_error(script, bool(body.stream))
        if failure is not None:
            raise failure
        reply = self._reply(body, raw, caller, model, script, content)
        entry_of(request.scope).usage = reply.usage()
        headers = self._headers(content, limits.headers(caller.kind))
        if not body.stream:
            return JsonAnswer(msgspec.json.encode(reply.message()), headers, script)
        return StreamAnswer(
            list(reply.frames()), error_event("Overloaded", headers["request-id"]), script, headers
        )

    async def count_tokens(self, request: Request) -> Response:
        caller = self._identified(request)
        content = await request.body()
        body, raw = read(content, request.headers.get("content-encoding"), CountRequest)
        _checked(body, raw, caller)
        answer: dict[str, Any] = {"input_tokens": caching.count(raw)}
        if body.context_management is not None:
            answer["context_management"] = {"original_input_tokens": answer["input_tokens"]}
        return self._json(answer, content, limits.headers(caller.kind))

    async def models(self, request: Request) -> Response:
        self._identified(request)
        return self._json(model_list.page(request.query_params))

    async def model(self, request: Request) -> Response:
        self._identified(request)
        return self._json(model_list.one(request.path_params["id"]))

    async def usage(self, request: Request) -> Response:
        self._require_oauth(request)
        return self._json(limits.windows())

    async def profile(self, request: Request) -> Response:
        self._require_oauth(request)
        return self._json(PROFILE)

    def _identified(self, request: Request) -> Caller:
        return identify(request.headers, self.sim.tokens)

    def _require_oauth(self, request: Request) -> None:
        caller = identify(request.headers, self.sim.tokens, needs_version=False)
        if caller.kind != "oauth":
            raise ApiError(401, "Invalid bearer token")
        grant = self.sim.tokens.grant_of(caller.credential)
        if grant is not None and PROFILE_SCOPE not in grant.scope.split():
            raise ApiError(403, f"OAuth token does not meet scope requirement {PROFILE_SCOPE}")

    def _kind(self, request: Request) -> Literal["key", "oauth"]:
        try:
            return self._identified(request).kind
        except ApiError:
            return "key"

    def _reply(
        self,
        body: MessagesRequest,
        raw: dict[str, Any],
        caller: Caller,
        model: Model,
        script: Script,
        content: bytes,
    ) -> Reply:
        message_id = self.sim.new_id("msg_01", content, 22)
        ids = tuple(
            self.sim.new_id("toolu_01", content, 22) for part in script.parts if isinstance(part, ToolCall)
        )
        if script.stop == "pause_turn":
            ids = (*ids, self.sim.new_id("srvtoolu_01", content, 22))
        return Reply(
            id=message_id,
            model=model.id,
            script=script,
            prompt=caching.measure(raw, self.sim.cached_prefixes),
            ids=ids,
            shows_thinking=getattr(body.thinking, "display", None) != "omitted",
            counts_thinking=THINKING_COUNT in caller.flags,
            edits_context=body.context_management is not None,
            speed=body.speed or "standard",
        )

    def _headers(self, content: bytes, extra: dict[str, str]) -> dict[str, str]:
        return {
            "request-id": self.sim.new_id("req_01", content, 22),
            "anthropic-organization-id": limits.ORGANIZATION,
            **extra,
        }

    def _json(self, value: Any, content: bytes = b"", extra: dict[str, str] | None = None) -> Response:
        return JsonAnswer(msgspec.json.encode(value), self._headers(content, extra or {}))

    def _refusal(self, request: Request, error: ApiError, content: bytes) -> Response:
        extra: dict[str, str] = {}
        if error.retry_after is not None:
            extra["retry-after"] = f"{error.retry_after:g}"
        if error.status == 429:
            extra |= limits.headers(self._kind(request), limited=True)
        headers = self._headers(content, extra)
        return JsonAnswer(error.body(headers["request-id"]), headers, status=error.status)


PROFILE = {
    "account": {
        "uuid": "99999999-8888-4777-8666-555555555555",
        "email": "user@example.com",
        "full_name": "Example User",
        "display_name": "Example",
        "has_claude_max": True,
        "has_claude_pro": False,
    },
    "organization": {
        "uuid": limits.ORGANIZATION,
        "name": "Example Organization",
        "organization_type": "claude_max",
        "rate_limit_tier": "default_claude_max_5x",
    },
}


def _checked(body: Conversation, raw: dict[str, Any], caller: Caller) -> Model:
    """The model of a request that keeps all rules."""
    model = find_model(body.model)
    if model is None:
        raise ApiError(404, f"model: {body.model}")
    params.check(body, raw, caller, model)
    conversation.check(body, caller, model)
    thinking.check(body, model)
    return model


def _http_error(script: Script, stream: bool) -> ApiError | None:
    match script.fault:
        case HttpError(status=status, type=kind, retry_after=seconds):
            if seconds is None and status == 429:
                seconds = 1
            return ApiError(status, kind=kind, retry_after=seconds)
        case StreamError() if not stream:
            return ApiError(529)
    return None
