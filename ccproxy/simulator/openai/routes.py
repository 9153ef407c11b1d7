"""The endpoints of api.openai.com."""

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from ccproxy.simulator.delivery import JsonAnswer
from ccproxy.simulator.openai import catalogue, chat, public_socket, siwc
from ccproxy.simulator.openai.endpoint import Call, Handler, endpoint
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.responses import Responses
from ccproxy.simulator.state import Simulator

PREFIX = "/openai/v1"
BARE = "/v1"
"""For clients whose traffic to api.openai.com is intercepted: only the paths that no other upstream has."""


def routes(sim: Simulator) -> list[BaseRoute]:
    responses = Responses(sim)
    shared: list[tuple[str, str, Handler]] = [
        ("POST", "/chat/completions", chat.completions(sim)),
        ("POST", "/responses", responses.create),
        ("POST", "/responses/input_tokens", responses.input_tokens),
        ("POST", "/responses/compact", responses.compact),
        ("GET", "/responses/{id}", responses.retrieve),
        ("DELETE", "/responses/{id}", responses.delete),
        ("POST", "/responses/{id}/cancel", responses.cancel),
        ("GET", "/responses/{id}/input_items", responses.input_items),
    ]
    own: list[tuple[str, str, Handler]] = [("GET", "/models", models), ("GET", "/models/{id}", model)]
    found: list[BaseRoute] = []
    for prefix, table in ((PREFIX, shared + own), (BARE, shared)):
        found.append(WebSocketRoute(f"{prefix}/responses", public_socket.socket(sim, responses)))
        for method, path, handler in table:
            found.append(Route(prefix + path, endpoint(sim, handler), methods=[method]))
    elsewhere = endpoint(sim, nowhere)
    return [
        *found,
        Route(f"{BARE}/chat/{{path:path}}", elsewhere),
        Route(f"{BARE}/responses/{{path:path}}", elsewhere),
        Route(f"{BARE}/responses", elsewhere),
        Route("/openai/{path:path}", elsewhere, methods=METHODS),
    ]


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def models(call: Call) -> Response:
    if call.caller.kind == "siwc":
        return JsonAnswer(msgspec.json.encode(siwc.model_list()), call.headers)
    data = [model.as_json for model in catalogue.models().values()]
    return JsonAnswer(msgspec.json.encode({"object": "list", "data": data}), call.headers)


async def model(call: Call) -> Response:
    found = catalogue.find(call.request.path_params["id"])
    return JsonAnswer(msgspec.json.encode(found.as_json), call.headers)


async def nowhere(call: Call) -> Response:
    request = call.request
    raise ApiError(404, f"Invalid URL ({request.method} {request.url.path})")
