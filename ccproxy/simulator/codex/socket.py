"""`wss://…/backend-api/codex/responses`."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.websockets import WebSocket

from ccproxy.simulator.codex import limits, rules
from ccproxy.simulator.codex.backend import answer_headers, run
from ccproxy.simulator.codex.caller import identify
from ccproxy.simulator.codex.errors import Detail, UsageLimit
from ccproxy.simulator.codex.knobs import Knobs
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.responses_run import Answer
from ccproxy.simulator.openai.responses_socket import ResponsesSocket, refuse
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.state import Simulator


def connect(sim: Simulator, knobs: Knobs) -> Callable[[WebSocket], Awaitable[None]]:
    """A connection remembers its own responses, although nothing is stored."""

    async def accept(websocket: WebSocket) -> None:
        headers = answer_headers(sim, b"", websocket.headers)
        try:
            if not knobs.websocket:
                raise Detail(426, "Upgrade Required")
            caller = identify(sim, websocket.headers)
        except ApiError as error:
            await refuse(websocket, error, headers)
            return
        memory = ResponseStore()

        def create(data: dict[str, Any], body: bytes) -> Answer:
            generate = data.pop("generate", True) is not False
            data.pop("stream", None)
            checked = rules.check_create(data, caller, websocket=True)
            try:
                return run(sim, checked, caller, body, memory, generate=generate)
            except UsageLimit as error:
                error.headers |= limits.headers(sim.tokens.clock(), error.resets_at)
                raise

        await websocket.accept(headers=[(name.encode(), value.encode()) for name, value in headers.items()])
        await ResponsesSocket(websocket, create, lambda known: known in memory.responses).serve()

    return accept
