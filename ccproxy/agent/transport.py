"""Between the SDK and one Claude Code process: lines out, lines in, and control requests of our own.

The SDK's own transport loses blanks where output is cut, and the SDK stops at lines that it does not know
(claude-code-sdk 0.0.25). So every line reaches it as a system message that holds the line as it was.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from claude_code_sdk import Transport

from ccproxy.agent.errors import AgentError, CliBroken, ControlRefused, WorkerDied
from ccproxy.agent.lines import Lines, LineTooLong
from ccproxy.agent.process import CliProcess
from ccproxy.conversation.parts import JsonObject

ANSWER_SECONDS = 30.0
"""How long Claude Code may take to answer a control request."""

RAW, TURN = "line", "turn"
"""Where a message for the SDK holds the line, and the number of the turn it came in."""

_INITIALIZE = "initialize"


class CliTransport(Transport):
    """`session_id` is what Claude Code calls its session. `system` is the text that `initialize` adds to
    Claude Code's own system prompt; it is set before.

    Reading begins with `connect` and never waits for a reader. A turn begins with `begin_turn` and ends with
    its `result`: then it is `idle` and passes over what is said, because nobody has asked for anything.
    """

    def __init__(self, process: CliProcess) -> None:
        self.system: str | None = None
        self.turn = 0
        self.session_id: str | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self._process = process
        self._lines = Lines()
        self._for_sdk: asyncio.Queue[JsonObject | None] = asyncio.Queue()
        self._waiting: dict[str, asyncio.Future[JsonObject]] = {}
        self._sent = 0
        self._initialize_id: str | None = None
        self._initialized: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._connecting = asyncio.Lock()
        self._connected = False
        self._over: AgentError | None = None

    async def connect(self) -> None:
        """Start the process, once. Raises CliBroken."""
        async with self._connecting:
            if not self._connected:
                await self._process.start(self._received, self._ended)
                self._connected = True

    async def control(self, subtype: str, limit: float = ANSWER_SECONDS, **body: Any) -> JsonObject:
        """The answer to a control request. Raises ControlRefused, WorkerDied, CliBroken, and TimeoutError
        after `limit` seconds.
        """
        if self._over:
            raise self._over
        self._sent += 1
        name = f"ccproxy_{self._sent}"
        answer = self._waiting[name] = asyncio.get_running_loop().create_future()
        request = {"type": "control_request", "request_id": name, "request": {"subtype": subtype, **body}}
        try:
            async with asyncio.timeout(limit):
                await self._process.write(msgspec.json.encode(request) + b"\n")
                return _content(subtype, await answer)
        finally:
            del self._waiting[name]

    async def initialized(self, limit: float = ANSWER_SECONDS) -> JsonObject:
        """The answer to the SDK's `initialize`; raises as `control` does."""
        async with asyncio.timeout(limit):
            return _content(_INITIALIZE, await asyncio.shield(self._initialized))

    def begin_turn(self) -> None:
        """What comes from now on belongs to a new turn."""
        self.turn += 1
        self.idle.clear()

    @property
    def problem(self) -> AgentError | None:
        """Why it is over, if it is."""
        return self._over

    # what the SDK calls

    async def write(self, data: str) -> None:
        if self._initialize_id is None:
            data = self._with_system(data)
        await self._process.write(data.encode())

    async def read_messages(self) -> AsyncIterator[JsonObject]:
        while (message := await self._for_sdk.get()) is not None:
            yield message

    def is_ready(self) -> bool:
        return self._process.running

    async def end_input(self) -> None:
        self._process.close_input()

    async def close(self) -> None:
        await self._process.end()

    def _with_system(self, data: str) -> str:
        """The SDK's first line is its `initialize`, which it never fills with more than hooks."""
        message = json.loads(data)
        request = message.get("request", {})
        if request.get("subtype") == _INITIALIZE:
            self._initialize_id = message["request_id"]
            if self.system:
                request["appendSystemPrompt"] = self.system
        return json.dumps(message) + "\n"

    # what the process calls

    def _received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            lines = self._lines.feed(data)
        except LineTooLong:
            self._over = CliBroken(
                "Claude Code sent a line longer than the proxy takes.", self._process.stderr
            )
            self._process.kill()
            return
        for line in lines:
            self._take(line)

    def _ended(self) -> None:
        self._over = self._over or WorkerDied(self._process.exit_code, self._said())
        for answer in (*self._waiting.values(), self._initialized):
            if not answer.done():
                answer.set_exception(self._over)
        if not self._initialized.cancelled():
            # nobody may ever ask for it
            self._initialized.exception()
        self._for_sdk.put_nowait(None)
        self.idle.set()

    def _said(self) -> str:
        """Standard error, or, where there is none, what else was no message."""
        return self._process.stderr or self._lines.last_skipped

    def _take(self, line: JsonObject) -> None:
        if isinstance(session_id := line.get("session_id"), str):
            # at once: a permission may be asked for before the SDK has passed the line on
            self.session_id = session_id
        match line:
            case {"type": "control_response", "response": {"request_id": str(name)} as response}:
                if (answer := self._waiting.get(name)) and not answer.done():
                    answer.set_result(response)
                elif name == self._initialize_id and not self._initialized.done():
                    self._initialized.set_result(response)
                    self._for_sdk.put_nowait(line)
            case {"type": "control_request", "request_id": str(), "request": {"subtype": str()}}:
                # the SDK refuses what it has no function for; Claude Code must not wait for it
                self._for_sdk.put_nowait(line)
            case {"type": "control_request" | "control_response" | "control_cancel_request"}:
                pass
            case _ if not self.idle.is_set():
                kind = str(line.get("type", ""))
                self._for_sdk.put_nowait({"type": "system", "subtype": kind, RAW: line, TURN: self.turn})
                if kind == "result":
                    self.idle.set()


def _content(subtype: str, response: JsonObject) -> JsonObject:
    """The body of an answer. Raises ControlRefused."""
    if response.get("subtype") == "error":
        raise ControlRefused(subtype, str(response.get("error", "")))
    body = response.get("response")
    return body if isinstance(body, dict) else {}
