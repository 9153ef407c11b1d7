"""One Claude Code process that holds one conversation."""

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from claude_code_sdk import SystemMessage, query

from ccproxy.agent import launch, permission_mcp, tool_names
from ccproxy.agent.cli import find_cli
from ccproxy.agent.errors import UPDATE, CliBroken, ControlRefused, WorkerDied
from ccproxy.agent.guard import Guard, remove
from ccproxy.agent.process import CliProcess
from ccproxy.agent.transport import RAW, TURN, CliTransport
from ccproxy.conversation.parts import JsonObject
from ccproxy.settings import Settings

Line = JsonObject
"""One line of the CLI's output, as it was."""

Servers = Callable[[str], Mapping[str, JsonObject]]
"""The MCP servers that every worker has, by name: those of one whose token is this."""

INTERRUPT_SECONDS = 10.0
_REPEAT_SECONDS = 0.5
_TASK_SECONDS = 5.0
_EFFORTS = {"none": "low", "minimal": "low"}
"""Where Claude Code 2.1.330 knows no such effort, and would silently take its default."""

TOOLS_KEY = "x-ccproxy-tools"
"""A header that makes the server look different where its tools are."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """How a conversation is answered. None leaves it to Claude Code. `servers` are all MCP servers, those of
    `Worker.servers` included; with another `tools_key` the tools of the server `client` are read again.
    """

    model: str | None
    effort: str | None
    system: str | None
    servers: Mapping[str, JsonObject]
    tools_key: str = ""


class Worker:
    """Made in the loop that it runs in. `start`, `begin`, then turns, and `close` even when it has died.

    `token` is the bearer of its MCP servers, and `servers` are those it is started with.
    `flags` are model and effort. `models` and `version` are known after `begin`, `session_id` with the first
    line. `uses` counts the turns.
    """

    def __init__(self, settings: Settings, guard: Guard, servers: Servers) -> None:
        self.token = secrets.token_urlsafe(32)
        self.servers = servers(self.token)
        self.models: list[JsonObject] = []
        self.version = ""
        self.uses = 0
        self._settings, self._guard = settings, guard
        self._options = launch.options(settings)
        self._transport: CliTransport | None = None
        self._process: CliProcess | None = None
        self._folder: Path | None = None
        self._conversation: asyncio.Task[None] | None = None
        self._prompts: asyncio.Queue[JsonObject] = asyncio.Queue()
        self._lines: deque[Line] = deque()
        self._news = asyncio.Event()
        self._read_all = True
        self._servers_set: JsonObject | None = None
        self.flags: JsonObject = {"model": self._options.model, "effortLevel": None}
        self._closing: asyncio.Task[None] | None = None

    @property
    def session_id(self) -> str | None:
        return self._transport.session_id if self._transport else None

    @property
    def alive(self) -> bool:
        """Whether it can be asked anything."""
        transport = None if self._closing else self._transport
        return transport is not None and transport.is_ready() and transport.problem is None

    async def start(self, flags: JsonObject | None = None) -> None:
        """The process is up and has its servers; it is not initialised. Raises CliMissing and CliBroken.

        `flags` are those of another worker that this one will most likely need, too.
        """
        async with self._or_close("start"):
            cli = await asyncio.to_thread(find_cli, self._settings.claude.cli_path)
            await asyncio.to_thread(self._guard.start)
            if self._closing:
                raise WorkerDied(None)
            marker, folder = self._place()
            environment = launch.environment(self._settings, os.environ, folder, marker)
            cwd = self._settings.claude.options.cwd
            self._process = CliProcess(launch.arguments(cli, self._options), environment, cwd, marker)
            self._transport = CliTransport(self._process)
            await self._transport.connect()
            await self._set_servers(self.servers, "")
            await self._set_flags(flags or self.flags)

    async def begin(self, setup: Setup) -> None:
        """Begin the conversation. Raises CliBroken and WorkerDied."""
        async with self._or_close("begin a conversation"):
            transport = self._connected()
            await self._apply(setup)
            transport.system = setup.system
            self._conversation = asyncio.create_task(self._converse(transport))
            answer = await transport.initialized()
            self.models = [model for model in answer.get("models") or [] if isinstance(model, dict)]
            self.version = str(answer.get("claude_code_version") or "")

    async def change(self, setup: Setup) -> None:
        """Between two turns: other models, efforts, servers; the system text stays. Raises like `begin`."""
        async with self._or_close("change its settings"):
            self._connected()
            await self._apply(setup)

    async def send(self, content: list[JsonObject]) -> None:
        """Begin a turn with these content blocks of the Messages API. Raises WorkerDied."""
        transport = self._connected()
        if not transport.idle.is_set():
            raise RuntimeError("a turn is under way")
        transport.begin_turn()
        # what nobody has read of the turn before
        self._lines.clear()
        self._read_all = False
        self.uses += 1
        message = {"role": "user", "content": content}
        prompt = {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": "default"}
        self._prompts.put_nowait(prompt)

    async def line(self) -> Line:
        """The next line of the turn, whose last is a `result`. Raises WorkerDied and CliBroken.

        A turn may be silent for long: while a tool runs, or a person is asked.
        """
        while not self._lines:
            # the process may be gone before its last lines are here
            if self._conversation is None or self._conversation.done():
                self._connected()
            if self._read_all:
                raise RuntimeError("no turn is under way")
            self._news.clear()
            await self._news.wait()
        return self._lines.popleft()

    async def interrupt(self) -> None:
        """End the turn that runs, if one does, and wait for its `result`. Raises CliBroken and WorkerDied."""
        async with self._or_close("stop its turn"):
            transport = self._connected()
            async with asyncio.timeout(INTERRUPT_SECONDS):
                while not transport.idle.is_set():
                    # one that comes before the turn has really begun is answered, and has no effect
                    await transport.control("interrupt")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(transport.idle.wait(), _REPEAT_SECONDS)
                    self._connected()

    async def close(self) -> None:
        """End the process and all that it started. Can be called again; goes on when its caller leaves."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    def _place(self) -> tuple[str, Path]:
        """A marker of its own, and the folder for temporary files.

        Not in a thread: whoever is cancelled while waiting for one would leave the folder behind.
        """
        # of one length, so that none is the beginning of another
        name = secrets.token_hex(4)
        self._folder = folder = self._guard.start() / name
        folder.mkdir(mode=0o700)
        return f"{self._guard.marker}-{name}", folder

    @contextlib.asynccontextmanager
    async def _or_close(self, what: str) -> AsyncIterator[None]:
        """Whoever fails here, or leaves in the middle, leaves nothing running: half a setup is no setup."""
        try:
            yield
        except BaseException as problem:
            await self.close()
            said = self._process.stderr if self._process else ""
            match problem:
                case TimeoutError():
                    text = f"Claude Code did not {what} in time. Try again, or run `claude doctor`."
                    raise CliBroken(text, said) from None
                case ControlRefused():
                    raise CliBroken(f"{problem} {'' if UPDATE in str(problem) else UPDATE}".strip()) from None
                case OSError():
                    raise CliBroken(f"Claude Code could not {what}: {problem.strerror}.", said) from None
            raise

    def _connected(self) -> CliTransport:
        """Raises what it died of, if it did."""
        if self._closing or self._transport is None or self._process is None:
            raise WorkerDied(None)
        if self._transport.problem:
            raise self._transport.problem
        if not self._process.running:
            raise WorkerDied(self._process.exit_code, self._process.stderr)
        return self._transport

    async def _apply(self, setup: Setup) -> None:
        """Tell the process what is not so already."""
        await self._set_servers(setup.servers, setup.tools_key)
        effort = _EFFORTS.get(setup.effort or "", setup.effort)
        await self._set_flags({"model": setup.model, "effortLevel": effort})

    async def _set_flags(self, flags: JsonObject) -> None:
        changed = {name: value for name, value in flags.items() if value != self.flags[name]}
        if changed:
            await self._connected().control("apply_flag_settings", settings=changed)
            self.flags = flags

    async def _set_servers(self, servers: Mapping[str, JsonObject], tools_key: str) -> None:
        """All of them each time: they replace what was set. Only one that looks different is asked again."""
        wanted = dict(servers)
        if (client := wanted.get(tool_names.SERVER)) and tools_key:
            wanted[tool_names.SERVER] = with_key(client, tools_key)
        if wanted == self._servers_set:
            return
        answer = await self._connected().control("mcp_set_servers", servers=wanted)
        for name, error in (answer.get("errors") or {}).items():
            if name in (permission_mcp.SERVER, tool_names.SERVER):
                raise CliBroken(
                    f"Claude Code does not reach the proxy's own MCP server '{name}'.", str(error)
                )
            logger.warning(
                "Claude Code does not reach the MCP server %r of claude.options.mcp_servers.", name
            )
        self._servers_set = wanted

    async def _converse(self, transport: CliTransport) -> None:
        """The SDK's whole life: it has to begin and end in one task."""
        try:
            # not left before its end: what is inside would be ended by another task
            async for message in query(prompt=self._asked(), options=self._options, transport=transport):
                if isinstance(message, SystemMessage):
                    self._take(message.data[RAW], message.data[TURN] == transport.turn)
        except Exception as error:
            logger.debug("The SDK ended: %s", error)
        finally:
            self._news.set()

    async def _asked(self) -> AsyncIterator[JsonObject]:
        while True:
            yield await self._prompts.get()

    def _take(self, line: Line, of_this_turn: bool) -> None:
        """Keep a line, unless it is of a turn that nobody reads any more."""
        if of_this_turn:
            self._lines.append(line)
            self._read_all = line.get("type") == "result"
            self._news.set()

    async def _close(self) -> None:
        try:
            if self._process:
                await self._process.end()
            if self._conversation:
                self._conversation.cancel()
                await asyncio.wait({self._conversation}, timeout=_TASK_SECONDS)
            if self._folder:
                await asyncio.to_thread(remove, self._folder)
        except Exception:
            logger.exception("A Claude Code process could not be ended cleanly.")
        finally:
            self._news.set()


def with_key(server: JsonObject, key: str) -> JsonObject:
    """This MCP server with a header that stands for the key, which may be any text."""
    value = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]
    return {**server, "headers": {**(server.get("headers") or {}), TOOLS_KEY: value}}
