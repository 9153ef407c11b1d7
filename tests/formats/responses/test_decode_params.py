import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import OutputFormat, Params, Thinking
from ccproxy.formats.responses.decode_params import decode_params, updated

SCHEMA = {"type": "object", "properties": {}}


def test_nothing_said() -> None:
    assert decode_params({}) == Params(include_usage=True)


def test_everything_said() -> None:
    body = {
        "max_output_tokens": 100,
        "temperature": 1,
        "top_p": 0.5,
        "stream": True,
        "parallel_tool_calls": False,
        "reasoning": {"effort": "ultra", "summary": "concise"},
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "user": "u",
        "metadata": {"a": "b"},
        "store": True,
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    }
    assert decode_params(body) == Params(
        max_tokens=100,
        temperature=1,
        top_p=0.5,
        stream=True,
        include_usage=True,
        parallel_tool_calls=False,
        thinking=Thinking(effort="max", summary="concise"),
        output=OutputFormat(SCHEMA, "n"),
        verbosity="low",
        service_tier="flex",
        cache_key="k",
        user="u",
        safety_identifier="s",
        metadata={"a": "b"},
        store=True,
    )


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat(None)),
        (
            {"type": "json_schema", "schema": SCHEMA, "strict": True, "description": "d"},
            OutputFormat(SCHEMA, None, "d", True),
        ),
    ],
)
def test_case_40_the_format_of_the_answer(form: JsonObject, wanted: OutputFormat | None) -> None:
    assert decode_params({"text": {"format": form}}).output == wanted


def test_an_update_changes_what_it_names() -> None:
    params = decode_params({"reasoning": {"effort": "low", "summary": "auto"}, "text": {"verbosity": "low"}})
    after = updated(
        params, {"reasoning": {"effort": "high"}, "text": {"format": {"type": "json_object"}}}, "p"
    )
    assert after.thinking == Thinking(effort="high", summary="auto")
    assert (after.verbosity, after.output) == ("low", OutputFormat(None))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": []}, "temperature"),
        ({"reasoning": "high"}, "reasoning"),
        ({"reasoning": {"effort": "herculean"}}, "reasoning.effort"),
        ({"reasoning": {"summary": 3}}, "reasoning.summary"),
        ({"text": 5}, "text"),
        ({"text": {"format": {}}}, None),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"metadata": "m"}, "metadata"),
    ],
)
def test_what_is_wrong_is_named(body: JsonObject, path: str | None) -> None:
    if path is None:
        assert decode_params(body).output is None
        return
    with pytest.raises(RequestError) as raised:
        decode_params(body)
    assert raised.value.path == path
