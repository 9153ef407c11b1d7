"""What else a client may ask for: parameters, tools and parts that not every format has."""

from typing import Any

from hypothesis import strategies as st

from ccproxy.conversation.parts import JsonObject, Wire
from tests.laws.conversations import PDF, PNG

_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

_EVERYWHERE: dict[str, list[Any]] = {
    "temperature": [0, 0.5, 1, 1.7],
    "top_p": [0.1, 1],
    "stream": [True, False],
    "service_tier": ["auto", "flex", "novel"],
    "novelty": [{"a": 1}, 7],
    "novel.ty": [0],
}

_FIELDS: dict[Wire, dict[str, list[Any]]] = {
    "anthropic": {
        "max_tokens": [1, 5, 900_000],
        "top_k": [4],
        "stop_sequences": [["x"], [" ", "y"], ["1", "2", "3", "4", "5"]],
        "thinking": [
            {"type": "enabled", "budget_tokens": 2048, "novelty": 1},
            {"type": "adaptive", "display": "summarized"},
            {"type": "disabled"},
            {"type": "between_tools"},
        ],
        "output_config": [
            {"effort": "max", "format": {"type": "json_schema", "schema": _SCHEMA}, "task_budget": 5},
            {"effort": "low"},
        ],
        "metadata": [{"user_id": "u", "novelty": 1}],
        "tool_choice": [
            {"type": "any"},
            {"type": "auto", "disable_parallel_tool_use": True},
            {"type": "none"},
        ],
        "speed": ["fast"],
        "mcp_servers": [[{"type": "url", "url": "https://example.test"}]],
        "container": ["c_1"],
        "cache_control": [{"type": "ephemeral"}],
        "tools": [
            [
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "max_uses": 2,
                    "blocked_domains": ["a.test"],
                },
                {"type": "bash_20250124", "name": "bash"},
                {"type": "code_execution_20250825", "name": "code_execution"},
                {"type": "tool_search_tool_regex_20251119", "name": "tool_search"},
                {"name": "f", "input_schema": _SCHEMA, "strict": True, "novelty": 1},
            ]
        ],
        "messages": [
            [
                {"role": "user", "content": [{"type": "text", "text": "hi", "novelty": 1}], "novelty": 2},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "abcd"},
                        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
                    ],
                },
                {"role": "system", "content": "be brief"},
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "2", "content": "foreign"}],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "document",
                            "source": {"type": "url", "url": "https://example.test/a.pdf"},
                            "citations": {"enabled": True},
                        },
                        {"type": "search_result", "source": "s", "title": "t", "content": []},
                    ],
                },
            ]
        ],
    },
    "chat": {
        "max_completion_tokens": [5, 900_000],
        "stop": ["x", ["1", "2", "3", "4", "5"], [" "]],
        "reasoning_effort": ["none", "minimal", "medium", "ultra"],
        "response_format": [
            {"type": "json_object"},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": _SCHEMA, "strict": True}},
        ],
        "tool_choice": ["none", "auto", "required"],
        "parallel_tool_calls": [False, True],
        "verbosity": ["low"],
        "metadata": [{"a": "b"}],
        "store": [True],
        "user": ["u"],
        "prompt_cache_key": ["k"],
        "logit_bias": [{"1": 2}],
        "logprobs": [True],
        "seed": [1],
        "tools": [
            [
                {"type": "custom", "custom": {"name": "patch", "format": {"type": "text"}}},
                {
                    "type": "custom",
                    "custom": {
                        "name": "grammar",
                        "format": {"type": "grammar", "grammar": {"definition": "a", "syntax": "lark"}},
                    },
                },
                {"type": "novel"},
            ]
        ],
        "messages": [
            [
                {"role": "assistant", "content": "first", "refusal": "no", "audio": None, "name": "n"},
                {"role": "developer", "content": "brief"},
                {
                    "role": "user",
                    "content": [{"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}}],
                },
                {"role": "tool", "tool_call_id": "x", "content": "foreign"},
            ],
            [
                {
                    "role": "user",
                    "content": [{"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}}],
                },
                {
                    "role": "assistant",
                    "reasoning_content": "hm",
                    "function_call": {"name": "f", "arguments": "{"},
                },
                {"role": "function", "name": "f", "content": "1"},
                {"role": "assistant", "tool_calls": [{"id": "1", "custom": {"name": "patch", "input": "x"}}]},
                {"role": "assistant", "content": "last "},
            ],
        ],
    },
    "responses": {
        "max_output_tokens": [5, 900_000],
        "reasoning": [{"effort": "none"}, {"effort": "max", "summary": "auto", "novelty": 1}],
        "text": [
            {"verbosity": "low", "novelty": 1},
            {"format": {"type": "json_schema", "name": "n", "schema": _SCHEMA}},
            {"format": {"type": "json_object"}},
        ],
        "tool_choice": ["auto", "none", "required"],
        "parallel_tool_calls": [False],
        "metadata": [{"a": "b"}],
        "store": [True],
        "user": ["u"],
        "prompt_cache_key": ["k"],
        "truncation": ["auto"],
        "include": [["reasoning.encrypted_content"]],
        "max_tool_calls": [2],
        "tools": [
            [
                {"type": "web_search", "filters": {"allowed_domains": ["a.test"]}},
                {
                    "type": "custom",
                    "name": "p",
                    "format": {"type": "grammar", "syntax": "regex", "definition": "a"},
                },
                {"type": "file_search", "vector_store_ids": ["v"]},
                {
                    "type": "namespace",
                    "name": "s",
                    "tools": [{"type": "function", "name": "f", "parameters": None}],
                },
            ]
        ],
        "input": [
            [
                {"type": "reasoning", "summary": [], "encrypted_content": "abcd"},
                {"type": "reasoning", "summary": [], "encrypted_content": "cc1a.spoilt"},
                {"type": "custom_tool_call", "call_id": "1", "name": "p", "input": "x"},
                {"type": "web_search_call", "id": "w", "status": "completed"},
                {"type": "function_call_output", "call_id": "2", "output": "foreign"},
                {"role": "developer", "content": "brief"},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "low"},
                        {"type": "input_file", "file_url": "https://example.test/a.pdf"},
                    ],
                },
                {"type": "configuration_update", "reasoning": {"effort": "low"}},
                {"role": "assistant", "content": "last "},
            ]
        ],
    },
}


@st.composite
def rich(draw: st.DrawFn, wire: Wire) -> JsonObject:
    """Some top-level fields, each with one of its values."""
    fields = _EVERYWHERE | _FIELDS[wire]
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), max_size=6, unique=True))
    return {name: draw(st.sampled_from(fields[name])) for name in chosen}
