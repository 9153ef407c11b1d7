"""`wss://…/v1/responses`: the public API's WebSocket."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.websockets import WebSocket

from ccproxy.simulator.openai import siwc
from ccproxy.simulator.openai.caller import answer_headers, identify
from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.checking import validate
from ccproxy.simulator.openai.errors import ApiError, missing_parameter
from ccproxy.simulator.openai.responses import PUBLIC, Responses
from ccproxy.simulator.openai.responses_request import ResponsesRequest, without_internals
from ccproxy.simulator.openai.responses_rules import check
from ccproxy.simulator.openai.responses_run import Answer, answer, converse
from ccproxy.simulator.openai.responses_socket import ResponsesSocket, refuse
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.state import Simulator

IGNORED = ("stream", "background", "stream_options")


def socket(sim: Simulator, http: Responses) -> Callable[[WebSocket], Awaitable[None]]:
    """`http` holds the answers that were stored; a connection also knows its own, stored or not."""

    async def connect(websocket: WebSocket) -> None:
        headers = answer_headers(sim, b"")
        try:
            caller = identify(sim, websocket.headers)
        except ApiError as error:
            await refuse(websocket, error, headers)
            return
        own = ResponseStore()

        def create(data: dict[str, Any], body: bytes) -> Answer:
            generate = data.pop("generate", True) is not False
            for field in IGNORED:
                data.pop(field, None)
            if caller.kind == "siwc":
                siwc.check_body(data | {"stream": True})
            wanted = validate(ResponsesRequest, without_internals(data))
            if wanted.model is None:
                raise missing_parameter("model")
            model = find(wanted.model)
            check(wanted, model, needs_input=generate)
            before = wanted.previous_response_id
            store = own if before in own.responses else http.store
            talk = converse(wanted, store, store.previous(before) if before else None)
            reply = answer(sim, wanted, model, talk.history, body, PUBLIC, generate=generate)
            events = [event.data for event in reply.events]
            if reply.script.fault is None:
                for memory in [own, http.store] if wanted.stored else [own]:
                    memory.keep(reply.response, events, talk.asked, talk.history)
            return reply

        await websocket.accept(headers=[(name.encode(), value.encode()) for name, value in headers.items()])
        await ResponsesSocket(websocket, create, lambda known: known in own.responses).serve()

    return connect
