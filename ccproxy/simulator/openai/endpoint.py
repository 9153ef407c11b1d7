"""What every endpoint does before and after its own work: who calls, the decoded body, errors as JSON."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ccproxy.simulator.delivery import JsonAnswer
from ccproxy.simulator.encodings import DecodedTooLarge, EncodingError, UnsupportedEncoding, decode
from ccproxy.simulator.openai.caller import Caller, answer_headers, identify
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.state import Simulator

MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A request with a good credential. `body` is decoded; `headers` belong into the answer."""

    request: Request
    caller: Caller
    body: bytes
    headers: dict[str, str]


type Handler = Callable[[Call], Awaitable[Response]]
type Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def endpoint(sim: Simulator, handler: Handler) -> Endpoint:
    """`handler` behind the credential check; an ApiError becomes the answer."""

    async def answer(request: Request) -> Response:
        raw = await request.body()
        headers = answer_headers(sim, raw)
        try:
            caller = identify(sim, request.headers)
            return await handler(Call(request, caller, decoded(request, raw), headers))
        except ApiError as error:
            return JsonAnswer(error.body, headers | error.headers, status=error.status)

    return answer


def decoded(request: Request, raw: bytes) -> bytes:
    """The body without its content-encoding. Raises ApiError."""
    try:
        body = decode(raw, request.headers.get("content-encoding"), MAX_BODY)
    except UnsupportedEncoding as error:
        raise ApiError(415, f"Unsupported content-encoding: {error}.") from None
    except DecodedTooLarge:
        raise ApiError(413, "The request is too large.") from None
    except EncodingError:
        raise ApiError(400, "We could not decode the body of your request.") from None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and kind != "application/json":
        message = f"Unsupported content type: '{kind}'. This API method only accepts 'application/json'."
        raise ApiError(400, message, code="unsupported_content_type")
    return body
