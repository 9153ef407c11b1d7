"""Everything the official anthropic SDK does with an upstream, written down as plain data.

Run once against the simulator and once through us: the two records have to be equal.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic

MODEL = "claude-opus-4-8"
TOOLS: list[Any] = [
    {
        "name": "add",
        "description": "Adds two numbers.",
        "input_schema": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    }
]
Record = dict[str, Any]


def ask(text: str, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 2000, "messages": [{"role": "user", "content": text}], **more}


def sync_script(base_url: str) -> Record:
    with anthropic.Anthropic(base_url=base_url, api_key="sk-ant-api03-client", max_retries=0) as client:
        return {
            "reply": client.messages.create(**ask("hello")).model_dump(),
            "events": [event.model_dump() for event in client.messages.create(**ask("hello"), stream=True)],
            "helper": stream_helper(client),
            "tools": tool_loop(client),
            "thinking": client.messages.create(
                **ask("sim:thinking", thinking={"type": "adaptive"})
            ).model_dump(),
            "cached": client.messages.create(
                **ask(
                    "hello",
                    system=[{"type": "text", "text": "x" * 9000, "cache_control": {"type": "ephemeral"}}],
                )
            ).usage.model_dump(),
            "raw": raw_response(client),
            "count": client.messages.count_tokens(
                model=MODEL, messages=[{"role": "user", "content": "hello"}]
            ).model_dump(),
            "models": [model.model_dump() for model in client.models.list(limit=5)],
            "model": client.models.retrieve(MODEL).model_dump(),
            "errors": {name: raised(client, call) for name, call in FAILING.items()},
            "stream error": stream_error(client),
        }


async def async_script(base_url: str) -> Record:
    async with anthropic.AsyncAnthropic(
        base_url=base_url, api_key="sk-ant-api03-client", max_retries=0
    ) as client:
        events = [
            event.model_dump() async for event in await client.messages.create(**ask("hello"), stream=True)
        ]
        async with client.messages.stream(**ask("sim:tool", tools=TOOLS)) as stream:
            final = (await stream.get_final_message()).model_dump()
        many = await asyncio.gather(*(client.messages.create(**ask(f"number {n}")) for n in range(8)))
        return {
            "reply": (await client.messages.create(**ask("hello"))).content[0].model_dump(),
            "events": events,
            "final": final,
            # ids depend on who came first
            "parallel": [message.model_dump(exclude={"id"}) for message in many],
        }


def stream_helper(client: anthropic.Anthropic) -> Record:
    with client.messages.stream(**ask("sim:unicode")) as stream:
        text = "".join(stream.text_stream)
        return {"text": text, "final": stream.get_final_message().model_dump()}


def tool_loop(client: anthropic.Anthropic) -> list[Record]:
    """Two turns: a call, and the answer after its result."""
    prompt = ask('sim:tool add {"a": 2, "b": 3}', tools=TOOLS)
    call = client.messages.create(**prompt)
    result = {"type": "tool_result", "tool_use_id": call.content[-1].id, "content": "5"}
    prompt["messages"] += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in call.content]},
        {"role": "user", "content": [result]},
    ]
    return [call.model_dump(), client.messages.create(**prompt).model_dump()]


def raw_response(client: anthropic.Anthropic) -> Record:
    answer = client.messages.with_raw_response.create(**ask("hello"))
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name.startswith("anthropic-") and not name.endswith("-reset")
    }
    return {"headers": headers, "id": answer.request_id, "body": answer.parse().model_dump()}


def raised(client: anthropic.Anthropic, call: Callable[[anthropic.Anthropic], object]) -> Record:
    """What kind of exception a call raises, and everything it says."""
    try:
        call(client)
    except anthropic.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "type": error.type,
            "body": error.body,
            "request_id": error.request_id,
            "retry_after": error.response.headers.get("retry-after"),
        }
    raise AssertionError("no error was raised")


def stream_error(client: anthropic.Anthropic) -> Record:
    seen = 0
    try:
        for _ in client.messages.create(**ask("sim:error200 4"), stream=True):
            seen += 1
    except anthropic.APIStatusError as error:
        return {"class": type(error).__name__, "events": seen, "body": error.body}
    raise AssertionError("no error was raised")


FAILING: dict[str, Callable[[anthropic.Anthropic], object]] = {
    **{
        str(status): lambda client, status=status: client.messages.create(**ask(f"sim:error {status}"))  # type: ignore[misc]
        for status in (400, 401, 403, 404, 413, 429, 500, 529)
    },
    "429 with seconds": lambda client: client.messages.create(**ask("sim:error 429 rate_limit_error 13")),
    "unknown model": lambda client: client.messages.create(**{**ask("x"), "model": "nobody-1"}),
    "unknown field": lambda client: client.messages.create(**ask("x", extra_body={"colour": "red"})),
    "bad type": lambda client: client.messages.create(**{**ask("x"), "max_tokens": 0.5}),
    "error of a stream": lambda client: client.messages.create(**ask("sim:error 529"), stream=True),
}
