"""The HTTP endpoints under `/responses`."""

import hashlib
from typing import Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.responses import Response

from ccproxy.simulator.delivery import Frame, JsonAnswer, StreamAnswer
from ccproxy.simulator.ledger import entry_of
from ccproxy.simulator.openai import siwc
from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.chat_answer import CREATED
from ccproxy.simulator.openai.checking import read_object, validate
from ccproxy.simulator.openai.endpoint import Call
from ccproxy.simulator.openai.errors import OVERLOADED, ApiError, missing_parameter, scripted
from ccproxy.simulator.openai.responses_items import InputMessage, Item, OutputMessage, texts
from ccproxy.simulator.openai.responses_object import ResponseObject
from ccproxy.simulator.openai.responses_prompt import segments
from ccproxy.simulator.openai.responses_request import (
    CompactRequest,
    ResponsesRequest,
    TokenCountRequest,
    without_internals,
)
from ccproxy.simulator.openai.responses_rules import check, check_items, check_pairs
from ccproxy.simulator.openai.responses_run import Backend, answer, converse, sse
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.openai.sealed import seal
from ccproxy.simulator.openai.usage import measure
from ccproxy.simulator.script import Script, StreamError
from ccproxy.simulator.state import Simulator

SUMMARY_LENGTH = 2000  # characters of a compacted conversation that are kept
PUBLIC = Backend()


class Responses:
    """`/responses` of one simulator; every method is a handler of `endpoint`."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.store = ResponseStore()
        sim.on_reset(self.store.clear)

    async def create(self, call: Call) -> Response:
        data = read_object(call.body)
        if call.caller.kind == "siwc":
            siwc.check_body(data)
        wanted = validate(ResponsesRequest, without_internals(data))
        if wanted.model is None:
            raise missing_parameter("model")
        model = find(wanted.model)
        check(wanted, model)
        before = wanted.previous_response_id
        talk = converse(wanted, self.store, self.store.previous(before) if before else None)
        reply = answer(self.sim, wanted, model, talk.history, call.body, PUBLIC)
        entry_of(call.request.scope).usage = reply.usage
        fault = reply.script.fault
        if isinstance(fault, StreamError) and not wanted.stream:
            raise scripted(OVERLOADED)
        if wanted.stored and fault is None:
            events = [event.data for event in reply.events]
            self.store.keep(reply.response, events, talk.asked, talk.history)
        if wanted.stream:
            error = sse(reply.failure(fault.after if isinstance(fault, StreamError) else 0))
            return StreamAnswer(reply.frames, error, reply.script, call.headers)
        queued = reply.events[0].data["response"] if wanted.background else reply.response
        return JsonAnswer(msgspec.json.encode(queued), call.headers, reply.script)

    async def retrieve(self, call: Call) -> Response:
        """A stored answer, or the rest of its stream after an event."""
        stored = self.store.get(call.request.path_params["id"])
        query = call.request.query_params
        if query.get("stream") != "true":
            return _json(call, stored.response)
        after = _number(query, "starting_after", -1)
        frames = [Frame(sse(event)) for event in stored.events if event["sequence_number"] > after]
        return StreamAnswer(frames, b"", Script(()), call.headers)

    async def delete(self, call: Call) -> Response:
        response_id = call.request.path_params["id"]
        self.store.get(response_id)
        del self.store.responses[response_id]
        return _json(call, {"id": response_id, "object": "response", "deleted": True})

    async def cancel(self, call: Call) -> Response:
        stored = self.store.get(call.request.path_params["id"])
        if not stored.response["background"]:
            raise ApiError(400, "Only responses with background=true can be cancelled.")
        return _json(call, stored.response)

    async def input_items(self, call: Call) -> Response:
        stored = self.store.get(call.request.path_params["id"])
        query = call.request.query_params
        items = [_with_id(item) for item in stored.input]
        if query.get("order", "desc") == "desc":
            items.reverse()
        ids = [item["id"] for item in items]
        if "after" in query and query["after"] not in ids:
            raise ApiError(404, f"Item with id '{query['after']}' not found.", param="after")
        seen = ids.index(query["after"]) + 1 if "after" in query else 0
        limit = _number(query, "limit", 20)
        page = items[seen : seen + limit]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        more = len(items) > seen + limit
        return _json(call, {"object": "list", "data": page, **ends, "has_more": more})

    async def input_tokens(self, call: Call) -> Response:
        wanted = validate(TokenCountRequest, read_object(call.body))
        before = wanted.previous_response_id
        history = list(self.store.previous(before).history) if before else []
        check_items(wanted.items, self.store)
        total = sum(piece.tokens for piece in segments(wanted, [*history, *wanted.items]))
        return _json(call, {"object": "response.input_tokens", "input_tokens": total})

    async def compact(self, call: Call) -> Response:
        wanted = validate(CompactRequest, read_object(call.body))
        return _json(call, compaction(self.sim, self.store, wanted, call.body))


def compaction(sim: Simulator, store: ResponseStore, wanted: CompactRequest, body: bytes) -> dict[str, Any]:
    """A conversation in one sealed item. Raises ApiError."""
    model = find(wanted.model)
    request = ResponsesRequest.model_validate(
        wanted.model_dump(include={"input", "instructions", "previous_response_id"}, exclude_unset=True)
    )
    before = wanted.previous_response_id
    history = [*(store.previous(before).history if before else []), *request.items]
    check_items(request.items, store)
    check_pairs(history)
    spoken = [
        text
        for item in history
        if isinstance(item, InputMessage | OutputMessage)
        for text in texts(item.content)
    ]
    summary = "\n".join(spoken)[-SUMMARY_LENGTH:]
    usage = ResponseObject(
        id="",
        request=request,
        model=model,
        script=Script(()),
        input=measure(sim, f"{model.id} {wanted.prompt_cache_key}", segments(request, history)),
    ).usage
    item = {
        "id": sim.new_id("cmp_", body),
        "type": "compaction",
        "encrypted_content": seal("compaction", summary),
    }
    return {
        "id": sim.new_id("resp_", body),
        "object": "response.compaction",
        "created_at": CREATED,
        "output": [item],
        "usage": usage,
    }


def _json(call: Call, value: Any) -> Response:
    return JsonAnswer(msgspec.json.encode(value), call.headers)


def _with_id(item: Item) -> dict[str, Any]:
    """An input item as it is listed: with an id, and a message's text as a part."""
    shown: dict[str, Any] = {"type": item.type} | item.model_dump(exclude_unset=True)
    if isinstance(item, InputMessage) and isinstance(item.content, str):
        shown["content"] = [{"type": "input_text", "text": item.content}]
    if shown.get("id") is None:
        shown["id"] = "msg_" + hashlib.sha256(item.model_dump_json().encode()).hexdigest()[:24]
    return shown


def _number(query: QueryParams, name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not value.lstrip("-").isdigit():
        raise ApiError(
            400, f"Invalid type for '{name}': expected an integer.", param=name, code="invalid_type"
        )
    return int(value)
