"""The tour of `ccproxy demo`: real requests through every route, and what came back."""

import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PROMPT = "Hello from the demo"
SHOWN = 100
"""Characters of an answer that are shown."""


@dataclass(frozen=True)
class Step:
    """One exchange: what was asked, whether the answer was right, and the answer in short."""

    title: str
    passed: bool
    result: str


Ask = Callable[[httpx.AsyncClient], Awaitable[str]]

CLAUDE = {"model": "claude-opus-4-8", "max_tokens": 200, "messages": [{"role": "user", "content": PROMPT}]}
CHAT = {"model": "gpt-5.5", "messages": [{"role": "user", "content": PROMPT}]}
RESPONSES = {"model": "gpt-5.5", "input": PROMPT}
PLAN = "gpt-6.1-sol"
AGAIN = [{"role": "user", "content": "And once more"}]
VERSION = {"anthropic-version": "2023-06-01"}


async def tour(reverse: str, proxy: str, ca: Path) -> AsyncIterator[Step]:
    """Every step in turn; `reverse` and `proxy` are the listeners' URLs, `ca` the CA behind `proxy`."""
    async with httpx.AsyncClient(base_url=reverse, trust_env=False, timeout=30) as client:
        for title, ask in STEPS:
            yield await take(title, ask, client)
    context = ssl.create_default_context(cafile=str(ca))
    async with httpx.AsyncClient(
        base_url="https://api.anthropic.com", proxy=proxy, verify=context, trust_env=False, timeout=30
    ) as client:
        yield await take(
            "POST https://api.anthropic.com/v1/messages through HTTPS_PROXY", intercepted, client
        )


async def take(title: str, ask: Ask, client: httpx.AsyncClient) -> Step:
    """Ask, and turn whatever happens into a step."""
    try:
        result = await ask(client)
    except (httpx.HTTPError, LookupError, TypeError, ValueError) as problem:
        return Step(title, False, f"{type(problem).__name__}: {problem}")
    return Step(title, True, result if len(result) <= SHOWN else result[: SHOWN - 1] + "…")


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path, headers=VERSION if "/api/" in path else None)
    return answer.raise_for_status().json()


async def post(client: httpx.AsyncClient, path: str, body: object) -> Any:
    answer = await client.post(path, json=body, headers=VERSION)
    return answer.raise_for_status().json()


async def messages(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/api/v1/messages", CLAUDE)
    return (
        f"{reply['model']}: {expect(reply['content'][0]['text'])} ({reply['usage']['output_tokens']} tokens)"
    )


async def intercepted(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/v1/messages", CLAUDE)
    return f"{reply['model']}: {expect(reply['content'][0]['text'])}"


async def messages_stream(client: httpx.AsyncClient) -> str:
    return await count_events(client, "/api/v1/messages", CLAUDE, "message_stop")


async def count_tokens(client: httpx.AsyncClient) -> str:
    body = {key: CLAUDE[key] for key in ("model", "messages")}
    return f"{int((await post(client, '/api/v1/messages/count_tokens', body))['input_tokens'])} tokens"


async def claude_models(client: httpx.AsyncClient) -> str:
    return f"{len((await get(client, '/api/v1/models'))['data'])} models"


async def default_backend(client: httpx.AsyncClient) -> str:
    return str(expect((await post(client, "/v1/messages", CLAUDE))["content"][0]["text"]))


async def chat(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/openai/v1/chat/completions", CHAT)
    return f"{reply['model']}: {expect(reply['choices'][0]['message']['content'])}"


async def chat_stream(client: httpx.AsyncClient) -> str:
    return await count_events(client, "/openai/v1/chat/completions", CHAT, "[DONE]")


async def responses(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/openai/v1/responses", RESPONSES)
    message = next(item for item in reply["output"] if item["type"] == "message")
    return f"{reply['model']}: {expect(message['content'][0]['text'])}"


async def chat_on_claude(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/api/v1/chat/completions", {**CHAT, "model": CLAUDE["model"]})
    return f"{reply['model']}: {expect(reply['choices'][0]['message']['content'])}"


async def responses_on_claude(client: httpx.AsyncClient) -> str:
    body = {**RESPONSES, "model": CLAUDE["model"]}
    return await count_events(client, "/api/v1/responses", body, "response.completed")


async def messages_on_openai(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/openai/v1/messages", {**CLAUDE, "model": CHAT["model"]})
    return f"{reply['model']}: {expect(reply['content'][0]['text'])}"


async def responses_stream(client: httpx.AsyncClient) -> str:
    return await count_events(client, "/openai/v1/responses", RESPONSES, "response.completed")


async def openai_models(client: httpx.AsyncClient) -> str:
    return f"{len((await get(client, '/openai/v1/models'))['data'])} models"


async def messages_on_plan(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/codex/v1/messages", {**CLAUDE, "model": PLAN})
    return f"{reply['model']}: {expect(reply['content'][0]['text'])}"


async def chat_on_plan(client: httpx.AsyncClient) -> str:
    return await count_events(client, "/codex/v1/chat/completions", {**CHAT, "model": PLAN}, "[DONE]")


async def responses_on_plan(client: httpx.AsyncClient) -> str:
    body = {**RESPONSES, "model": PLAN}
    return await count_events(client, "/codex/v1/responses", body, "response.completed")


async def session_on_plan(client: httpx.AsyncClient) -> str:
    """Three turns in three formats; each knows of those before it, because the proxy says them again."""
    session = f"/codex/demo-{uuid.uuid4()}"
    one = await post(client, f"{session}/v1/responses", {**RESPONSES, "model": PLAN})
    two = await post(client, f"{session}/v1/chat/completions", {**CHAT, "model": PLAN, "messages": AGAIN})
    three = await post(client, f"{session}/v1/messages", {**CLAUDE, "model": PLAN, "messages": AGAIN})
    counts = [one["usage"]["input_tokens"], two["usage"]["prompt_tokens"], three["usage"]["input_tokens"]]
    if not counts[0] < counts[1] < counts[2]:
        raise ValueError(f"a turn did not know of the one before: {counts} tokens in")
    return f"three turns, {counts[0]}, {counts[1]} and {counts[2]} tokens in"


async def plan_models(client: httpx.AsyncClient) -> str:
    return f"{len((await get(client, '/codex/v1/models'))['data'])} models"


def where_claude_is(ask: Ask) -> Ask:
    """A step for Claude Code. Where that is not there, the step says how to get it, and is no failure."""

    async def step(client: httpx.AsyncClient) -> str:
        status = await get(client, "/sdk/status")
        return await ask(client) if status["ready"] else f"left out: {status['reason']}"

    return step


@where_claude_is
async def messages_on_claude_code(client: httpx.AsyncClient) -> str:
    reply = await post(client, "/sdk/v1/messages", CLAUDE)
    said = "".join(block["text"] for block in reply["content"] if block["type"] == "text")
    return f"{reply['model']}: {expect(said)} (${reply['usage']['total_cost_usd']:.4f})"


@where_claude_is
async def streams_on_claude_code(client: httpx.AsyncClient) -> str:
    model = {"model": CLAUDE["model"]}
    chunks = await count_events(client, "/sdk/v1/chat/completions", {**CHAT, **model}, "[DONE]")
    return f"{chunks}; " + await count_events(
        client, "/sdk/v1/responses", {**RESPONSES, **model}, "response.completed"
    )


@where_claude_is
async def session_on_claude_code(client: httpx.AsyncClient) -> str:
    """Three turns in three formats; each says only what is new, and Claude Code knows the rest."""
    session, model = f"/sdk/demo-{uuid.uuid4()}", {"model": CLAUDE["model"]}
    one = (await post(client, f"{session}/v1/messages", CLAUDE))["usage"]
    two = await post(client, f"{session}/v1/chat/completions", {**model, "messages": AGAIN})
    three = await post(client, f"{session}/v1/responses", {**model, "input": "And a last time"})
    whole = one["input_tokens"] + one["cache_creation_input_tokens"] + one["cache_read_input_tokens"]
    counts = [whole, two["usage"]["prompt_tokens"], three["usage"]["input_tokens"]]
    if not counts[0] < counts[1] < counts[2]:
        raise ValueError(f"a turn did not know of the one before: {counts} tokens in")
    return f"three turns, {counts[0]}, {counts[1]} and {counts[2]} tokens in"


@where_claude_is
async def models_of_claude_code(client: httpx.AsyncClient) -> str:
    return f"{len((await get(client, '/sdk/v1/models'))['data'])} models"


async def quota(client: httpx.AsyncClient) -> str:
    windows = (await get(client, "/quota"))["codex"]["windows"]
    return ", ".join(f"{one['name']} {one['used']:.0%}" for one in windows if "model" not in one)


async def health(client: httpx.AsyncClient) -> str:
    return str((await get(client, "/health"))["status"])


async def count_events(client: httpx.AsyncClient, path: str, body: dict[str, Any], last: str) -> str:
    async with client.stream("POST", path, json={**body, "stream": True}, headers=VERSION) as answer:
        answer.raise_for_status()
        lines = [line async for line in answer.aiter_lines() if line]
    if last not in "".join(lines[-2:]):
        raise ValueError(f"the stream ended without {last}")
    return f"{sum(line.startswith('data:') for line in lines)} events, the last one {last}"


def expect(text: str) -> str:
    """The simulator repeats what it is told."""
    if PROMPT not in text:
        raise ValueError(f"unexpected answer {text!r}")
    return text


STEPS: tuple[tuple[str, Ask], ...] = (
    ("POST /api/v1/messages", messages),
    ("POST /api/v1/messages, streaming", messages_stream),
    ("POST /api/v1/messages/count_tokens", count_tokens),
    ("POST /api/v1/chat/completions, translated", chat_on_claude),
    ("POST /api/v1/responses, translated and streaming", responses_on_claude),
    ("GET  /api/v1/models", claude_models),
    ("POST /v1/messages", default_backend),
    ("POST /openai/v1/chat/completions", chat),
    ("POST /openai/v1/chat/completions, streaming", chat_stream),
    ("POST /openai/v1/responses", responses),
    ("POST /openai/v1/responses, streaming", responses_stream),
    ("POST /openai/v1/messages, translated", messages_on_openai),
    ("GET  /openai/v1/models", openai_models),
    ("POST /codex/v1/messages, translated", messages_on_plan),
    ("POST /codex/v1/chat/completions, translated and streaming", chat_on_plan),
    ("POST /codex/v1/responses, streaming", responses_on_plan),
    (
        "POST /codex/{s}/v1/responses, /codex/{s}/v1/chat/completions, /codex/{s}/v1/messages in one session",
        session_on_plan,
    ),
    ("GET  /codex/v1/models", plan_models),
    ("POST /sdk/v1/messages", messages_on_claude_code),
    ("POST /sdk/v1/chat/completions, /sdk/v1/responses, streaming", streams_on_claude_code),
    (
        "POST /sdk/{s}/v1/messages, /sdk/{s}/v1/chat/completions, /sdk/{s}/v1/responses in one session",
        session_on_claude_code,
    ),
    ("GET  /sdk/v1/models", models_of_claude_code),
    ("GET  /quota", quota),
    ("GET  /health", health),
)
