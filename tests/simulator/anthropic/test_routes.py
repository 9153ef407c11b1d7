"""The endpoints, with the official SDK as judge."""

from typing import Any

import anthropic
import httpx
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import TextBlock, ToolParam, ToolUseBlock
from pydantic import BaseModel

from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.oauth.store import Grant
from ccproxy.simulator.state import Simulator
from tests.simulator.anthropic.asking import Ask, user

MODEL = "claude-opus-5-5"
ADD: ToolParam = {
    "name": "add",
    "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
}


class TestMessages:
    async def test_plain(self, sdk: AsyncAnthropic) -> None:
        message = await sdk.messages.create(
            model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "hello there"}]
        )
        assert message.content == [TextBlock(type="text", text="hello there", citations=None)]
        assert message.stop_reason == "end_turn"
        assert message.id.startswith("msg_01")
        assert message._request_id is not None
        assert message._request_id.startswith("req_01")

    async def test_stream(self, sdk: AsyncAnthropic) -> None:
        async with sdk.messages.stream(
            model=MODEL, max_tokens=4000, messages=[{"role": "user", "content": "sim:unicode"}]
        ) as stream:
            words = [word async for word in stream.text_stream]
            message = await stream.get_final_message()
        assert len(words) > 2
        assert [block.text for block in message.content if block.type == "text"] == ["".join(words)]
        assert message.usage.output_tokens > 1

    @pytest.mark.parametrize("stream", [False, True])
    async def test_a_tool_loop(self, sdk: AsyncAnthropic, stream: bool) -> None:
        messages: list[Any] = [{"role": "user", "content": "sim:thinking tool add"}]
        thinking: Any = {"type": "adaptive"}
        rounds = 0
        while True:
            arguments: Any = {
                "model": MODEL,
                "max_tokens": 4000,
                "messages": messages,
                "tools": [ADD],
                "thinking": thinking,
            }
            if stream:
                async with sdk.messages.stream(**arguments) as events:
                    message = await events.get_final_message()
            else:
                message = await sdk.messages.create(**arguments)
            if message.stop_reason != "tool_use":
                break
            calls = [block for block in message.content if isinstance(block, ToolUseBlock)]
            assert [block.input for block in calls] == [{"a": 1}]
            messages.append(message.to_param())
            answers = [{"type": "tool_result", "tool_use_id": block.id, "content": "42"} for block in calls]
            messages.append({"role": "user", "content": answers})
            rounds += 1
        assert rounds == 1
        assert message.content[-1].type == "text"
        assert message.content[-1].text == "Tool result: 42"

    async def test_the_beta_namespace(self, sdk: AsyncAnthropic) -> None:
        message = await sdk.beta.messages.create(
            model=MODEL,
            max_tokens=100,
            betas=["context-management-2025-06-27"],
            context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
            messages=[{"role": "user", "content": "hello"}],
        )
        assert message.context_management is not None
        assert message.context_management.applied_edits == []

    async def test_structured_output(self, sdk: AsyncAnthropic) -> None:
        class Answer(BaseModel):
            name: str
            count: int

        message = await sdk.messages.parse(
            model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "hello"}], output_format=Answer
        )
        assert message.parsed_output == Answer(name="example", count=1)

    @pytest.mark.parametrize(
        ("line", "error", "kind"),
        [
            ("error 400", anthropic.BadRequestError, "invalid_request_error"),
            ("error 401", anthropic.AuthenticationError, "authentication_error"),
            ("error 403", anthropic.PermissionDeniedError, "permission_error"),
            ("error 404", anthropic.NotFoundError, "not_found_error"),
            ("error 413", anthropic.RequestTooLargeError, "request_too_large"),
            ("error 429", anthropic.RateLimitError, "rate_limit_error"),
            ("error 500", anthropic.InternalServerError, "api_error"),
            ("error 529", anthropic.OverloadedError, "overloaded_error"),
            ("error 400 billing_error", anthropic.BadRequestError, "billing_error"),
            ("error200", anthropic.OverloadedError, "overloaded_error"),
        ],
    )
    async def test_errors(
        self, sdk: AsyncAnthropic, line: str, error: type[anthropic.APIStatusError], kind: str
    ) -> None:
        with pytest.raises(error) as caught:
            await sdk.messages.create(
                model=MODEL, max_tokens=100, messages=[{"role": "user", "content": f"sim:{line}"}]
            )
        body = caught.value.body
        assert isinstance(body, dict)
        assert body["type"] == "error"
        assert body["error"]["type"] == kind
        assert body["request_id"] == caught.value.request_id
        if line == "error 429":
            assert caught.value.response.headers["retry-after"] == "1"

    async def test_an_error_inside_a_stream(self, sdk: AsyncAnthropic) -> None:
        with pytest.raises(anthropic.APIStatusError) as caught:
            async with sdk.messages.stream(
                model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "sim:error200"}]
            ) as stream:
                await stream.get_final_message()
        assert isinstance(caught.value.body, dict)
        assert caught.value.body["error"]["type"] == "overloaded_error"

    async def test_the_sdk_tries_again(self, sdk: AsyncAnthropic, sim: Simulator) -> None:
        message = await sdk.with_options(max_retries=1).messages.create(
            model=MODEL,
            max_tokens=100,
            messages=[{"role": "user", "content": "sim:once error 429 rate_limit_error 0.01"}],
        )
        assert message.stop_reason == "end_turn"
        assert [entry.status for entry in sim.ledger] == [429, 200]

    async def test_any_query_is_taken(self, ask: Ask, sim: Simulator) -> None:
        assert (await ask(path="/v1/messages?beta=true&x=%20y")).status_code == 200
        assert [entry.path for entry in sim.ledger] == ["/v1/messages?beta=true&x=%20y"]

    async def test_the_ledger_knows_the_usage(self, ask: Ask, sim: Simulator) -> None:
        answer = (await ask("sim:long 20")).json()
        await ask("sim:nonsense", model="nonsense")
        assert [entry.usage for entry in sim.ledger] == [answer["usage"], None]


class TestCountTokens:
    async def test_is_what_the_answer_says(self, sdk: AsyncAnthropic) -> None:
        arguments: Any = {
            "model": MODEL,
            "messages": [{"role": "user", "content": "hello " * 50}],
            "system": "be kind",
            "tools": [ADD],
            "thinking": {"type": "adaptive"},
        }
        counted = await sdk.messages.count_tokens(**arguments)
        message = await sdk.messages.create(max_tokens=10, **arguments)
        assert counted.input_tokens == message.usage.input_tokens > 75

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"max_tokens": 5}, "max_tokens: Extra inputs are not permitted"),
            ({"stream": True}, "stream: Extra inputs are not permitted"),
            ({"messages": []}, "messages: at least one message is required"),
            ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "thinking.type: 'enabled' is not"),
        ],
    )
    async def test_is_as_strict(self, http: httpx.AsyncClient, body: dict[str, Any], message: str) -> None:
        whole = {"model": MODEL, "messages": [user("hello")], **body}
        answer = await http.post("/v1/messages/count_tokens", json=whole)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(message)

    async def test_with_context_management(self, sdk: AsyncAnthropic) -> None:
        counted = await sdk.beta.messages.count_tokens(
            model=MODEL,
            messages=[{"role": "user", "content": "hello"}],
            context_management={"edits": []},
            betas=["context-management-2025-06-27", "token-counting-2024-11-01"],
        )
        assert counted.context_management is not None
        assert counted.context_management.original_input_tokens == counted.input_tokens


class TestAccount:
    HEADERS = {"authorization": "Bearer sk-ant-oat01-x", "anthropic-beta": "oauth-2025-04-20"}

    async def test_usage_and_profile(self, url: str) -> None:
        async with httpx.AsyncClient(base_url=url, headers=self.HEADERS) as http:
            usage = (await http.get("/api/oauth/usage")).json()
            profile = (await http.get("/api/oauth/profile")).json()
        assert 0 < usage["five_hour"]["utilization"] <= 100
        assert {limit["kind"] for limit in usage["limits"]} == {"session", "weekly_all"}
        assert profile["account"]["email"] == "user@example.com"

    @pytest.mark.parametrize("headers", [{}, {"x-api-key": "k"}, {"authorization": HEADERS["authorization"]}])
    async def test_they_need_an_oauth_token(self, url: str, headers: dict[str, str]) -> None:
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:
            for path in ("/api/oauth/usage", "/api/oauth/profile"):
                answer = await http.get(path)
                assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")

    async def test_a_long_lived_token_may_not(self, url: str, sim: Simulator) -> None:
        whole = plain_grant("anthropic")
        token = sim.tokens.issue(Grant(whole.provider, whole.client_id, "user:inference", whole.issuer))
        headers = {**self.HEADERS, "authorization": f"Bearer {token.access_token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:
            answer = await http.get("/api/oauth/usage")
        assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")


class TestTheRest:
    async def test_a_connectivity_probe(self, url: str) -> None:
        async with httpx.AsyncClient(base_url=url) as http:
            answer = await http.head("/")
        assert (answer.status_code, answer.content) == (200, b"")

    @pytest.mark.parametrize(("method", "path"), [("GET", "/v1/messages"), ("POST", "/v1/models")])
    async def test_a_wrong_method(self, http: httpx.AsyncClient, method: str, path: str) -> None:
        answer = await http.request(method, path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (405, "invalid_request_error")

    @pytest.mark.parametrize("path", ["/", "/v1", "/v1/messages/", "/v1/messages/batches", "/v1/complete"])
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    async def test_a_path_that_is_not_there(self, http: httpx.AsyncClient, method: str, path: str) -> None:
        answer = await http.request(method, path)
        body = answer.json()
        assert answer.status_code == 404
        assert body == {
            "type": "error",
            "error": {"type": "not_found_error", "message": "Not Found"},
            "request_id": answer.headers["request-id"],
        }
