"""The lines that Claude Code writes while it works, as one answer of the Messages API.

A turn may be several messages of the API, with tool calls between them that Claude Code runs itself. The
client gets one message: what the model says, as it says it; of the work between, what the mode shows; and,
where a tool is called that the client runs, an end with `tool_use`. The lines that come once the client has
answered the call are for a new Answer.

What is streamed is read from the `stream_event` lines. The whole blocks of the `assistant` lines are read for
tool calls, and for messages that never were streamed. Sub-agents (lines with a parent) work out of sight, but
for their calls of the client's tools.
Nothing here raises an error, whatever the lines say.
"""

from collections.abc import Collection
from typing import Any

from ccproxy.agent.blocks import Blocks, Event
from ccproxy.agent.endings import Ending, ending
from ccproxy.agent.modes import Call, ModeName, Result, mode
from ccproxy.agent.spending import Spending, cost
from ccproxy.agent.tool_names import PREFIX, wire_names
from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.usage import COST_FIELD

_SYNTHETIC = "<synthetic>"
_TOLD_OF_TURN = ("subtype", "terminal_reason", "num_turns", "duration_ms", "duration_api_ms")
_UNNAMED = "msg_claude_code"


class Answer:
    """One answer to one request. `ended` is True once it is whole or has failed; later lines are passed over.

    `client_tools` are the names of the tools that the client runs, `calls` the calls of them that this answer
    ends with. `answered` are ids of such calls that came before: their results are nothing to show. With
    `separate`, a blank line stands between texts of different messages of the API. `failure` is set where the
    answer ended by an error; blocks may then be open.
    """

    def __init__(
        self,
        mode_name: ModeName,
        pretty: bool,
        client_tools: Collection[str],
        separate: bool = False,
        answered: Collection[str] = (),
    ) -> None:
        self.ended = False
        self.calls: tuple[JsonObject, ...] = ()
        self.failure: Failed | None = None
        self._mode = mode(mode_name, pretty)
        self._tools = wire_names(client_tools)
        self._blocks = Blocks(separate)
        self._spending = Spending()
        self._facts: JsonObject = {}
        self._model = ""
        self._error: JsonObject = {}
        self._limit: JsonObject = {}
        self._streamed: set[str] = set()
        self._streaming = ""
        self._unstreamed = ""
        self._source = ""
        self._is_cut = False
        self._is_whole = True
        self._called: set[str] = set(answered)
        self._done: set[str] = set(answered)
        self._clients: dict[str, JsonObject] = {}

    def take(self, line: JsonObject) -> list[Event]:
        """The next line of the process; the events that it makes."""
        if not self.ended:
            self._take(line)
        return self._blocks.drain()

    def _take(self, line: Any) -> None:
        if isinstance(line, dict) and (session := _text(line.get("session_id"))):
            self._facts["session_id"] = session
        match line:
            case {"parent_tool_use_id": str()}:
                self._sub_agent(line)
            case {"type": "stream_event", "event": {"type": str(kind)} as event}:
                self._stream_event(kind, event, _text(line.get("api_message_id")))
            case {"type": "assistant", "message": {"content": list(content)} as message}:
                if line.get("error") or line.get("is_api_error_message") is True:
                    self._error = line
                else:
                    self._assistant(message, content)
            case {"type": "user", "message": {"content": list(content)}}:
                self._results(content, line.get("tool_result_meta"))
            case {"type": "result"}:
                self._result(line)
            case {"type": "rate_limit_event", "rate_limit_info": dict(info)}:
                self._limit = self._facts["rate_limit"] = info
            case {"type": "system", "subtype": "init"}:
                self._model = _text(line.get("model"))
            case {"type": "system", "subtype": "compact_boundary", "compact_metadata": dict(about)}:
                self._facts["compaction"] = about

    # --- what is streamed

    def _stream_event(self, kind: str, event: JsonObject, message_id: str) -> None:
        match kind:
            case "message_start":
                message = event.get("message")
                self._message_start(message if isinstance(message, dict) else {}, message_id)
            case "content_block_start":
                self._block_start(event.get("content_block"))
            case "content_block_delta":
                self._block_delta(event.get("delta"))
            case "content_block_stop":
                self._blocks.end()
            case "message_delta":
                self._is_whole = True
                self._is_cut = _stop_reason(event.get("delta")) == "max_tokens"
                self._spending.take(self._streaming, event.get("usage"))
                self._blocks.message_ended(whole=True)
            case "message_stop":
                self._message_stop()

    def _message_start(self, message: JsonObject, message_id: str) -> None:
        self._break_off()
        self._unstreamed = ""
        self._streaming = _text(message.get("id")) or message_id
        self._streamed.add(self._streaming)
        if not self._is_cut:
            # what was cut by the length goes on in the middle of a word
            self._source = self._streaming
        self._is_whole = False
        self._start(self._streaming, message)

    def _block_start(self, block: Any) -> None:
        match block:
            case {"type": "text" | "thinking" as kind}:
                self._start(self._streaming, {})
                self._blocks.begin(kind, self._source)
                self._blocks.more(_text(block.get(kind)))
            case {"type": "redacted_thinking", "data": str(data)}:
                self._blocks.whole([{"type": "redacted_thinking", "data": data}])

    def _block_delta(self, delta: Any) -> None:
        match delta:
            case {"type": "text_delta", "text": str(text)} if self._blocks.tells("text"):
                self._blocks.more(text)
            case {"type": "thinking_delta", "thinking": str(text)} if self._blocks.tells("thinking"):
                self._blocks.more(text)
            case {"type": "signature_delta", "signature": str(signature)}:
                self._blocks.sign(signature)

    def _message_stop(self) -> None:
        if not self._is_whole:
            # it broke off, and whatever it called is not run
            self._break_off()
            self._clients = {}
        elif self._clients:
            self._hand_over()

    def _break_off(self) -> None:
        if not self._is_whole:
            self._blocks.message_ended(whole=False)
            self._is_whole = True

    # --- what comes whole

    def _assistant(self, message: JsonObject, content: list[Any]) -> None:
        message_id = _text(message.get("id"))
        streamed = message_id in self._streamed
        if not streamed:
            self._break_off()
            if self._unstreamed not in ("", message_id):
                self._blocks.message_ended(whole=True)
            self._unstreamed = message_id
            self._start(message_id, message)
        for block in content:
            self._call(block)
            if not streamed:
                self._tell(block, message_id)
        if self._clients and not streamed:
            self._hand_over()

    def _tell(self, block: Any, message_id: str) -> None:
        match block:
            case {"type": "text" | "thinking" as kind}:
                self._blocks.begin(kind, message_id)
                self._blocks.more(_text(block.get(kind)))
                self._blocks.sign(_text(block.get("signature")))
                self._blocks.end()
            case {"type": "redacted_thinking", "data": str(data)}:
                self._blocks.whole([{"type": "redacted_thinking", "data": data}])

    def _call(self, block: Any) -> None:
        match block:
            case {"type": "tool_use" | "server_tool_use", "id": str(call_id), "name": str(name)}:
                pass
            case {"type": str(kind), "tool_use_id": str()} if kind.endswith("_tool_result"):
                self._show(block, None)
                return
            case _:
                return
        if call_id in self._called:
            return
        self._called.add(call_id)
        given = block.get("input")
        arguments = given if isinstance(given, dict) else {}
        tool = self._client_tool(name)
        if tool is None:
            self._blocks.whole(self._mode.call(Call(call_id, name, arguments)))
        else:
            self._clients[call_id] = {"type": "tool_use", "id": call_id, "name": tool, "input": arguments}

    def _results(self, content: list[Any], meta: Any) -> None:
        for block in content:
            match block:
                case {"type": "tool_result", "tool_use_id": str()}:
                    self._show(block, meta)

    def _show(self, block: JsonObject, meta: Any) -> None:
        """The result of a call, unless it is what the client has said itself."""
        call_id = block["tool_use_id"]
        if self._clients.pop(call_id, None) or call_id in self._done:
            return
        self._done.add(call_id)
        permission = next(
            (
                about["permission_decision"]
                for about in (meta if isinstance(meta, list) else [])
                if isinstance(about, dict)
                and about.get("id") == call_id
                and isinstance(about.get("permission_decision"), dict)
            ),
            None,
        )
        is_error = block.get("is_error") is True
        self._blocks.whole(self._mode.result(Result(call_id, block.get("content"), is_error, permission)))

    def _sub_agent(self, line: JsonObject) -> None:
        """It waits for the client's tools like the model itself; nobody else can run them."""
        match line:
            case {"type": "assistant", "message": {"content": list(content)} as message}:
                for block in content:
                    if isinstance(block, dict) and self._client_tool(_text(block.get("name"))):
                        self._call(block)
                if self._clients and self._is_whole:
                    # what it costs is not counted among the messages of this answer
                    self._start("", {"model": message.get("model")})
                    self._hand_over()

    def _client_tool(self, name: str) -> str | None:
        """The client's name for a tool, if it is one of the client's."""
        return self._tools.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None

    # --- the beginning and the end

    def _start(self, message_id: str, message: JsonObject) -> None:
        self._spending.take(message_id, message.get("usage"))
        if self._blocks.is_started:
            return
        model = _text(message.get("model"))
        self._blocks.start(
            {
                "id": message_id or _UNNAMED,
                "type": "message",
                "role": "assistant",
                "model": self._model if model in ("", _SYNTHETIC) else model,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": self._spending.of(message_id),
                **self._mode.about(dict(self._facts)),
            }
        )

    def _hand_over(self) -> None:
        """The client has to run its tools before anything else can be said."""
        self.calls = tuple(self._clients.values())
        self._blocks.end()
        self._blocks.whole(self.calls)
        self._finish(Ending("tool_use"), self._spending.total())

    def _result(self, line: JsonObject) -> None:
        self._break_off()
        end = ending(line, self._error, self._limit, self._blocks.is_started)
        if isinstance(end, Failed):
            self.ended, self.failure = True, end
            return
        self._start(_text(line.get("uuid")), {})
        if not self._blocks.count and line.get("is_error") is not True:
            # a command of Claude Code's own may have no other words than these
            self._blocks.begin("text", "result")
            self._blocks.more(_text(line.get("result")))
            self._blocks.end()
        self._facts |= {name: line[name] for name in _TOLD_OF_TURN if line.get(name) is not None}
        if denials := line.get("permission_denials"):
            self._facts["permission_denials"] = denials
        usage = self._spending.total()
        if (dollars := cost(line)) is not None:
            self._facts[COST_FIELD] = usage[COST_FIELD] = dollars
        self._blocks.end()
        self._blocks.whole(self._mode.last(self._facts))
        self._finish(end, usage)

    def _finish(self, end: Ending, usage: JsonObject) -> None:
        self.ended = True
        self._blocks.finish(end.delta, usage=usage, **self._mode.about(self._facts))


def _stop_reason(delta: Any) -> Any:
    return delta.get("stop_reason") if isinstance(delta, dict) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
