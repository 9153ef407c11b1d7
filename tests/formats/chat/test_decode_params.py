from typing import Any

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.request import OutputFormat, Params, Thinking
from ccproxy.formats.chat.decode_params import decode_params, others


def test_everything_that_has_a_place() -> None:
    params = decode_params(
        {
            "max_tokens": 5,
            "max_completion_tokens": 7,
            "temperature": 0.5,
            "top_p": 1,
            "stop": ["a", ""],
            "n": 1,
            "stream": True,
            "stream_options": {"include_usage": True, "include_obfuscation": False},
            "parallel_tool_calls": False,
            "reasoning_effort": "high",
            "verbosity": "low",
            "service_tier": "flex",
            "prompt_cache_key": "k",
            "user": "u",
            "safety_identifier": "s",
            "metadata": {"a": "b"},
            "store": False,
            "modalities": ["text"],
            "audio": None,
        }
    )
    assert params == Params(
        max_tokens=7,
        temperature=0.5,
        top_p=1,
        stop=("a",),
        stream=True,
        include_usage=True,
        parallel_tool_calls=False,
        thinking=Thinking(effort="high"),
        verbosity="low",
        service_tier="flex",
        cache_key="k",
        user="u",
        safety_identifier="s",
        metadata={"a": "b"},
        store=False,
    )


def test_nothing_and_null_are_the_same() -> None:
    names = (
        "max_tokens",
        "stop",
        "stream",
        "stream_options",
        "reasoning_effort",
        "response_format",
        "n",
        "user",
    )
    assert decode_params(dict.fromkeys(names)) == decode_params({}) == Params()


def test_small_forms() -> None:
    assert decode_params({"stop": "x"}).stop == ("x",)
    assert decode_params({"max_tokens": 3}).max_tokens == 3
    assert decode_params({"reasoning_effort": "ultra"}).thinking.effort == "max"
    assert decode_params({"functions": [{"name": "f"}]}).parallel_tool_calls is False


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat(None)),
        (
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "n",
                    "description": "d",
                    "schema": {"type": "object"},
                    "strict": True,
                },
            },
            OutputFormat({"type": "object"}, "n", "d", True),
        ),
        ({"type": "json_schema", "json_schema": {"name": "n"}}, OutputFormat(None, "n")),
    ],
)
def test_case_40_structured_output(wanted: dict[str, Any], output: OutputFormat | None) -> None:
    assert decode_params({"response_format": wanted}).output == output


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"n": "1"}, "n"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"modalities": [1]}, "modalities.0"),
        ({"audio": {"voice": "v", "format": "wav"}}, "audio"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": True}, "max_completion_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop": [1]}, "stop.0"),
        ({"stop": 1}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"reasoning_effort": "a lot"}, "reasoning_effort"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"metadata": "x"}, "metadata"),
    ],
)
def test_what_is_wrong_or_asks_for_too_much_is_named(body: dict[str, Any], path: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_params(body)
    assert caught.value.path == path


def test_others_are_what_nobody_else_can_say() -> None:
    body = {
        "model": "m",
        "seed": 1,
        "logit_bias": {"5": -100},
        "frequency_penalty": 0.5,
        "presence_penalty": 0,
        "logprobs": False,
        "web_search_options": {},
        "prediction": None,
        "made_up": [1],
    }
    assert others(body) == {
        "seed": 1,
        "logit_bias": {"5": -100},
        "frequency_penalty": 0.5,
        "web_search_options": {},
        "made_up": [1],
    }
