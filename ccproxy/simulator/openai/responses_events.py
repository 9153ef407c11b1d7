"""A script as the events of a Responses stream; the answer without a stream is the last event's response.

Order: created, in_progress, then item after item (added, its parts and deltas, done), then a terminal event.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ccproxy.simulator.openai.deltas import certain_tokens, padding
from ccproxy.simulator.openai.responses_object import ResponseObject
from ccproxy.simulator.openai.sealed import seal
from ccproxy.simulator.script import Text, Thinking, ToolCall, pieces

type NewId = Callable[[str], str]

SERVER_ERROR = {"code": "server_error", "message": "The server had an error while processing your request."}


@dataclass(frozen=True, slots=True)
class Event:
    """`data` as it goes over the wire, and the seconds to wait before it."""

    data: dict[str, Any]
    pause: float = 0.0


@dataclass(slots=True)
class ResponseWriter:
    """Writes the events of one response. `new_id` makes an id with the given prefix."""

    response: ResponseObject
    new_id: NewId
    namespaces: dict[str, str] = field(default_factory=dict)
    """The namespace of a tool that has one."""
    hosted: frozenset[str] = frozenset()
    """The tools that the provider runs itself."""
    gives_encrypted: bool = True
    completes_output: bool = True
    """The Codex backend leaves `output` empty in the terminal event."""
    events: list[Event] = field(default_factory=list)
    output: list[dict[str, Any]] = field(default_factory=list)

    def write(self) -> list[Event]:
        """All events of the answer, the terminal one last."""
        if self.response.request.background:
            self._say("response.queued", response=self.response.state("queued", []))
        self._say("response.created", response=self.response.state("in_progress", []))
        self._say("response.in_progress", response=self.response.state("in_progress", []))
        for part in self.response.script.parts:
            match part:
                case Thinking():
                    self._reasoning(part)
                case Text():
                    self._message(part.pieces, [])
                case ToolCall() if part.name in self.hosted:
                    self._search(part)
                case ToolCall():
                    self._call(part)
        status = self.response.final_status
        if status == "incomplete" and self.output and "status" in self.output[-1]:
            self.output[-1]["status"] = "incomplete"  # in its own event as well: it is the same object
        final = self.complete if self.completes_output else self.response.state(status, [])
        self._say(f"response.{status}", response=final)
        return self.events

    @property
    def complete(self) -> dict[str, Any]:
        """The finished response with all of its output."""
        return self.response.state(self.response.final_status, self.output)

    def failure(self, after: int) -> dict[str, Any]:
        """The event in the place of the one with this number: `response.failed`, as the first one `error`."""
        if after == 0:
            return {"type": "error", **SERVER_ERROR, "param": None, "sequence_number": 0}
        failed = self.response.state("failed", [], error=SERVER_ERROR)
        return {"type": "response.failed", "sequence_number": after, "response": failed}

    def _say(self, kind: str, pause: float = 0.0, **more: Any) -> None:
        self.events.append(Event({"type": kind, "sequence_number": len(self.events), **more}, pause))

    def _delta(self, kind: str, delta: str, pause: float = 0.0, **more: Any) -> None:
        options = self.response.request.stream_options
        if options is None or options.include_obfuscation is not False:
            more["obfuscation"] = padding(delta)
        self._say(kind, pause, **more, delta=delta)

    def _begin(self, item: dict[str, Any]) -> dict[str, Any]:
        """Announces an item; returns where its events belong."""
        self._say("response.output_item.added", output_index=len(self.output), item=item)
        return {"item_id": item["id"], "output_index": len(self.output)}

    def _end(self, item: dict[str, Any]) -> None:
        self._say("response.output_item.done", output_index=len(self.output), item=item)
        self.output.append(item)

    def _reasoning(self, part: Thinking) -> None:
        item: dict[str, Any] = {"id": self.new_id("rs_"), "type": "reasoning", "summary": []}
        sealed = seal("reasoning", part.text) if self.gives_encrypted else None
        if sealed is not None:
            item["encrypted_content"] = sealed[:16]  # only the finished item has all of it
        at = self._begin(item)
        asked = self.response.request.reasoning
        summary = []
        if asked is not None and (asked.summary or asked.generate_summary):
            summary = [{"type": "summary_text", "text": part.text}]
            at |= {"summary_index": 0}
            self._say(
                "response.reasoning_summary_part.added", **at, part={"type": "summary_text", "text": ""}
            )
            for piece in part.pieces:
                self._delta("response.reasoning_summary_text.delta", piece, **at)
            self._say("response.reasoning_summary_text.done", **at, text=part.text)
            self._say("response.reasoning_summary_part.done", **at, part=summary[0])
        done = {**item, "summary": summary}
        self._end(done if sealed is None else {**done, "encrypted_content": sealed})

    def _message(self, texts: Iterable[str], annotations: list[dict[str, Any]]) -> None:
        texts = list(texts)
        item = {
            "id": self.new_id("msg_"),
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        if self.response.model.phases:
            item["phase"] = self._phase()
        at = self._begin(item)
        refused = self.response.script.stop == "refusal"
        part = self._refusal(at, texts) if refused else self._text(at, texts, annotations)
        self._end({**item, "status": "completed", "content": [part]})

    def _phase(self) -> str:
        calls = [part for part in self.response.script.parts if isinstance(part, ToolCall)]
        return "commentary" if any(call.name not in self.hosted for call in calls) else "final_answer"

    def _text(
        self, at: dict[str, Any], texts: list[str], annotations: list[dict[str, Any]]
    ) -> dict[str, Any]:
        at = at | {"content_index": 0}
        empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        self._say("response.content_part.added", **at, part=empty)
        for piece in texts:
            pause = self.response.script.pause
            self._delta("response.output_text.delta", piece, pause, **at, logprobs=self._logprobs([piece]))
        for index, annotation in enumerate(annotations):
            kind = "response.output_text.annotation.added"
            self._say(kind, **at, annotation_index=index, annotation=annotation)
        logprobs = self._logprobs(texts)
        self._say("response.output_text.done", **at, text="".join(texts), logprobs=logprobs)
        part = empty | {"text": "".join(texts), "annotations": annotations, "logprobs": logprobs}
        self._say("response.content_part.done", **at, part=part)
        return part

    def _refusal(self, at: dict[str, Any], texts: list[str]) -> dict[str, Any]:
        at = at | {"content_index": 0}
        self._say("response.content_part.added", **at, part={"type": "refusal", "refusal": ""})
        for piece in texts:
            self._delta("response.refusal.delta", piece, self.response.script.pause, **at)
        part = {"type": "refusal", "refusal": "".join(texts)}
        self._say("response.refusal.done", **at, refusal=part["refusal"])
        self._say("response.content_part.done", **at, part=part)
        return part

    def _logprobs(self, texts: list[str]) -> list[dict[str, Any]]:
        if "message.output_text.logprobs" not in (self.response.request.include or ()):
            return []
        return certain_tokens(texts, alternatives=bool(self.response.request.top_logprobs))

    def _call(self, call: ToolCall) -> None:
        free = isinstance(call.input, str)
        kind, field_name, prefix = (
            ("custom_tool_call", "input", "ctc_") if free else ("function_call", "arguments", "fc_")
        )
        item = {
            "id": self.new_id(prefix),
            "type": kind,
            "status": "in_progress",
            "call_id": self.new_id("call_"),
            "name": call.name,
            field_name: "",
        }
        if call.name in self.namespaces:
            item["namespace"] = self.namespaces[call.name]
        at = self._begin(item)
        event = "response.custom_tool_call_input" if free else "response.function_call_arguments"
        for piece in call.pieces:
            self._delta(f"{event}.delta", piece, **at)
        done: dict[str, Any] = {field_name: call.text} | ({} if free else {"name": call.name})
        self._say(f"{event}.done", **at, **done)
        self._end({**item, "status": "completed", field_name: call.text})

    def _search(self, call: ToolCall) -> None:
        query = json.loads(call.text).get("query", "")
        item = {"id": self.new_id("ws_"), "type": "web_search_call", "status": "in_progress"}
        at = self._begin(item)
        for step in ("in_progress", "searching", "completed"):
            self._say(f"response.web_search_call.{step}", **at)
        action = {"type": "search", "query": query, "queries": [query]}
        self._end({**item, "status": "completed", "action": action})
        text = f"I searched for {query} and found example.com."
        start = text.index("example.com")
        citation = {
            "type": "url_citation",
            "url": "https://example.com/",
            "title": "Example",
            "start_index": start,
            "end_index": start + len("example.com"),
        }
        self._message(pieces(text), [citation])
