"""`POST /chat/completions`."""

from starlette.responses import Response

from ccproxy.simulator.delivery import JsonAnswer, StreamAnswer
from ccproxy.simulator.ledger import entry_of
from ccproxy.simulator.openai import chat_rules
from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.chat_answer import ChatAnswer, sse, to_frames, to_json
from ccproxy.simulator.openai.chat_prompt import segments, to_prompt
from ccproxy.simulator.openai.chat_request import ChatRequest
from ccproxy.simulator.openai.checking import read_object, validate
from ccproxy.simulator.openai.endpoint import Call, Handler
from ccproxy.simulator.openai.errors import OVERLOADED, scripted
from ccproxy.simulator.openai.siwc import refuse_route
from ccproxy.simulator.openai.usage import check_context, measure
from ccproxy.simulator.script import HttpError, StreamError, ToolCall
from ccproxy.simulator.state import Simulator


def completions(sim: Simulator) -> Handler:
    async def create(call: Call) -> Response:
        if call.caller.kind == "siwc":
            raise refuse_route()
        wanted = validate(ChatRequest, read_object(call.body))
        model = find(wanted.model)
        chat_rules.check(wanted, model)
        prompt = segments(wanted)
        check_context(prompt, model, "messages")
        script = sim.script(to_prompt(wanted, model))
        match script.fault:
            case HttpError():
                raise scripted(script.fault)
            case StreamError() if not wanted.stream:
                raise scripted(OVERLOADED)
        calls = sum(isinstance(part, ToolCall) for part in script.parts)
        answer = ChatAnswer(
            id=sim.new_id("chatcmpl-", call.body),
            request=wanted,
            model=model,
            script=script,
            input=measure(sim, f"{wanted.model} {wanted.prompt_cache_key}", prompt),
            call_ids=[[sim.new_id("call_", call.body) for _ in range(calls)] for _ in range(wanted.n or 1)],
        )
        entry_of(call.request.scope).usage = answer.usage
        if not wanted.stream:
            return JsonAnswer(to_json(answer), call.headers, script)
        error = sse({"error": scripted(OVERLOADED).error})
        return StreamAnswer(to_frames(answer), error, script, call.headers)

    return create
