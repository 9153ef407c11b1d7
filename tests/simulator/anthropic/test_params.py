from typing import Any

import pytest

from tests.simulator.anthropic.asking import Ask, assistant, call, message_of, result, text, user

NEW = "2026-10-21"
MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
HOUR: dict[str, Any] = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def tool(name: str = "add", **more: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object"}, **more}


class TestModelAndTokens:
    @pytest.mark.parametrize("name", ["gpt-6", "claude-nonsense", "claude-opus-5-5 "])
    async def test_an_unknown_model(self, ask: Ask, name: str) -> None:
        answer = await ask(model=name)
        error = answer.json()["error"]
        assert (answer.status_code, error) == (404, {"type": "not_found_error", "message": f"model: {name}"})

    async def test_the_answer_names_the_dated_model(self, ask: Ask) -> None:
        assert (await ask(model="claude-sonnet-4-5")).json()["model"] == "claude-sonnet-4-5-20250929"

    async def test_max_tokens_has_a_limit_per_model(self, ask: Ask) -> None:
        assert (await ask(model="claude-opus-4-1", max_tokens=32_000)).status_code == 200
        message = message_of(await ask(model="claude-opus-4-1", max_tokens=32_001))
        assert message.startswith(
            "max_tokens: 32001 > 32000, which is the maximum allowed number of output tokens"
        )

    async def test_no_tokens_only_warm_the_cache(self, ask: Ask) -> None:
        answer = (await ask([text("x", **MARK)], max_tokens=0)).json()
        assert (answer["content"], answer["stop_reason"]) == ([], "max_tokens")
        assert answer["usage"]["cache_creation_input_tokens"] > 0


class TestSampling:
    @pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
    async def test_the_new_version_has_none(self, ask: Ask, name: str) -> None:
        answer = await ask(version=NEW, **{name: 1})
        assert message_of(answer) == f"{name}: not supported with anthropic-version 2026-10-21"

    @pytest.mark.parametrize("fields", [{"temperature": 0.5}, {"top_p": 0.9}, {"top_k": 5}])
    @pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-opus-5-5"])
    async def test_newer_models_take_only_the_default(
        self, ask: Ask, model: str, fields: dict[str, Any]
    ) -> None:
        assert "is deprecated for this model" in message_of(await ask(model=model, **fields))

    async def test_the_default_itself_is_taken(self, ask: Ask) -> None:
        assert (await ask(model="claude-opus-5-5", temperature=1, top_p=1)).status_code == 200

    async def test_one_of_two_on_the_generation_of_4_5(self, ask: Ask) -> None:
        assert (await ask(temperature=0.5)).status_code == 200
        assert "cannot both be specified" in message_of(await ask(temperature=0.5, top_p=0.9))
        assert (await ask(model="claude-sonnet-4-0", temperature=0.5, top_p=0.9)).status_code == 200


async def test_a_stop_sequence_is_more_than_white_space(ask: Ask) -> None:
    answer = await ask(stop_sequences=["END", "\n"])
    assert message_of(answer) == "stop_sequences.1: each stop sequence must contain non-whitespace"


class TestTools:
    @pytest.mark.parametrize(
        ("tools", "choice", "message"),
        [
            ([tool(), tool()], None, "tools: Tool names must be unique."),
            ([tool()], {"type": "tool", "name": "other"}, "Tool 'other' not found in provided tools"),
            (None, {"type": "any"}, "tool_choice may only be specified while providing tools."),
            (
                [tool(input_schema={"type": "object", "anyOf": []})],
                None,
                "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf",
            ),
            (
                [tool(strict=True, input_schema={"type": "object", "properties": {}})],
                None,
                "tools.0.custom.input_schema: For 'object' type, 'additionalProperties' must be explicitly",
            ),
            (
                [{"type": "bash_20250124", "name": "shell"}],
                None,
                "tools.0.bash_20250124.name: Input should be 'bash'",
            ),
            (
                [{"type": "text_editor_20250728", "name": "str_replace_editor"}],
                None,
                "tools.0.text_editor_20250728.name: Input should be 'str_replace_based_edit_tool'",
            ),
            (
                [
                    {
                        "type": "web_search_20250305",
                        "name": "web_search",
                        "allowed_domains": ["a"],
                        "blocked_domains": ["b"],
                    }
                ],
                None,
                "tools.0: only one of allowed_domains and blocked_domains",
            ),
            (
                [
                    {
                        "type": "computer_20250124",
                        "name": "computer",
                        "display_width_px": 1,
                        "display_height_px": 1,
                    }
                ],
                None,
                "tools.0: Input tag 'computer_20250124'",
            ),
        ],
    )
    async def test_are_refused(self, ask: Ask, tools: Any, choice: Any, message: str) -> None:
        assert message_of(await ask(tools=tools, tool_choice=choice)).startswith(message)

    @pytest.mark.parametrize(
        ("choice", "calls"),
        [
            ({"type": "auto"}, []),
            ({"type": "none"}, []),
            ({"type": "any"}, ["add"]),
            ({"type": "tool", "name": "sub"}, ["sub"]),
            ({"type": "any", "disable_parallel_tool_use": True}, ["add"]),
        ],
    )
    async def test_a_choice_is_followed(self, ask: Ask, choice: dict[str, Any], calls: list[str]) -> None:
        answer = (await ask(tools=[tool("add"), tool("sub")], tool_choice=choice)).json()
        assert [block["name"] for block in answer["content"] if block["type"] == "tool_use"] == calls
        assert answer["stop_reason"] == ("tool_use" if calls else "end_turn")

    async def test_a_deferred_tool_is_called_only_by_name(self, ask: Ask) -> None:
        tools = [tool("hidden", defer_loading=True), tool("seen")]
        answers = [await ask(line, tools=tools) for line in ("sim:tool", "sim:tool hidden")]
        assert [answer.json()["content"][0]["name"] for answer in answers] == ["seen", "hidden"]

    async def test_a_tool_of_anthropic_gets_a_fitting_input(self, ask: Ask) -> None:
        answer = await ask("sim:tool bash", tools=[{"type": "bash_20250124", "name": "bash"}])
        assert answer.json()["content"][0]["input"] == {"command": "echo hi"}


class TestStructuredOutput:
    CLOSED = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }

    async def test_the_answer_follows_the_schema(self, ask: Ask) -> None:
        answer = await ask(output_config={"format": {"type": "json_schema", "schema": self.CLOSED}})
        assert answer.json()["content"][0]["text"] == '{"n": 1}'

    async def test_every_object_is_closed(self, ask: Ask) -> None:
        schema = {**self.CLOSED, "properties": {"n": {"type": "object"}}}
        answer = await ask(output_config={"format": {"type": "json_schema", "schema": schema}})
        message = message_of(answer)
        assert message.startswith("output_config.format.schema: For 'object' type, 'additionalProperties'")


class TestBetaGates:
    @pytest.mark.parametrize(
        ("fields", "flag", "message"),
        [
            (
                {"context_management": {"edits": []}},
                "context-management-2025-06-27",
                "context_management: Extra",
            ),
            ({"mcp_servers": []}, "mcp-client-2025-11-20", "mcp_servers: Extra inputs"),
            ({"thread": {"type": "create"}}, "message-threads-2026-08-12", "thread: Extra inputs"),
            ({"fallbacks": "default"}, "server-side-fallback-2026-07-01", "fallbacks: Extra inputs"),
            ({"safeguards": {}}, "claude-code-20250219", "safeguards: Extra inputs"),
            (
                {"output_config": {"task_budget": {"type": "tokens", "total": 9}}},
                "task-budgets-2026-03-13",
                "output_config.task_budget: Extra inputs",
            ),
            (
                {"thinking": {"type": "adaptive", "display": "updates"}},
                "thinking-display-updates-2026-08-18",
                "thinking.display: Input should be 'summarized' or 'omitted'",
            ),
            (
                {"messages": [{**user("a"), "output_config": {"effort": "low"}}]},
                "per-turn-control-2026-07-01",
                "messages.0.output_config: Extra inputs",
            ),
            (
                {"system": [text("a", cache_control={"type": "ephemeral", "scope": "global"})]},
                "prompt-caching-scope-2026-01-05",
                "system.0.cache_control.scope: Extra inputs",
            ),
            (
                {
                    "messages": [
                        user("a"),
                        assistant(
                            {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "s", "input": {}},
                            text("b"),
                        ),
                        user("c"),
                    ]
                },
                "mcp-client-2025-04-04",
                "messages.1.content.0: Input tag 'mcp_tool_use'",
            ),
            (
                {
                    "tools": [
                        {
                            "type": "computer_20250124",
                            "name": "computer",
                            "display_width_px": 1,
                            "display_height_px": 1,
                        }
                    ]
                },
                "computer-use-2025-01-24",
                "tools.0: Input tag 'computer_20250124'",
            ),
        ],
    )
    async def test_a_field_needs_its_flag(
        self, ask: Ask, fields: dict[str, Any], flag: str, message: str
    ) -> None:
        assert message_of(await ask(model="claude-opus-5-5", **fields)).startswith(message)
        answer = await ask(model="claude-opus-5-5", betas=flag, **fields)
        assert answer.status_code == 200, answer.text


class TestCacheMarks:
    async def test_at_most_four(self, ask: Ask) -> None:
        content = [text("c", **MARK), text("d", **MARK)]
        assert (await ask(content, tools=[tool(**MARK)], system=[text("b", **MARK)])).status_code == 200
        answer = await ask(content, tools=[tool(**MARK)], system=[text("b", **MARK)], **MARK)
        assert message_of(answer) == "A maximum of 4 blocks with cache_control may be provided. Found 5."

    async def test_those_inside_a_tool_result_count(self, ask: Ask) -> None:
        inner = [text(word, **MARK) for word in "abcd"]
        messages = [user("a"), assistant(call()), user(result(content=inner, **MARK))]
        assert "Found 5" in message_of(await ask(messages=messages))

    async def test_long_ones_come_first(self, ask: Ask) -> None:
        assert (await ask([text("a", **HOUR), text("b", **MARK)])).status_code == 200
        answer = await ask([text("b", **HOUR)], system=[text("a", **MARK)])
        assert message_of(answer).startswith(
            "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control"
        )
