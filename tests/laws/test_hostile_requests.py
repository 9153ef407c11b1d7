"""Law: whatever stands in a request, it is translated or refused with the name of the field."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.translation import CODECS, Translation
from tests.laws import hostile
from tests.laws.conversations import MODELS, OLDER, body, conversations
from tests.laws.pace import examples
from tests.laws.richness import rich
from tests.laws.streams import PAIRS, WIRES
from tests.laws.translations import HELLO, translated


def tried(raw: bytes, client: Wire, upstream: Wire, models: dict[Wire, str] = MODELS) -> Translation | None:
    """None for a request that was refused as it has to be."""
    try:
        return translated(raw, client, upstream, models)
    except RequestError:
        return None


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize("client", WIRES)
@given(data=st.data())
@examples(80)
def test_junk_anywhere(client: Wire, data: st.DataObject) -> None:
    plain = {**body(client, data.draw(conversations())), **data.draw(rich(client))}
    raw = encoded(data.draw(hostile.spoilt(plain)))
    models = data.draw(st.sampled_from((MODELS, OLDER)))
    for upstream in WIRES:
        if translation := tried(raw, client, upstream, models):
            assert isinstance(msgspec.json.decode(translation.body), dict)


@pytest.mark.parametrize("client", WIRES)
@given(
    value=st.dictionaries(st.sampled_from(("model", "messages", "input", "tools", "text")), hostile.junk())
)
@examples(40)
def test_nothing_but_junk(client: Wire, value: JsonObject) -> None:
    for upstream in WIRES:
        tried(encoded(value), client, upstream)


@pytest.mark.parametrize("client", WIRES)
def test_a_refusal_names_its_field(client: Wire) -> None:
    with pytest.raises(RequestError) as refused:
        CODECS[client].decode_request(
            {"model": 1, **{k: v for k, v in HELLO[client].items() if k != "model"}}
        )
    assert refused.value.path == "model"


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@pytest.mark.parametrize("depth", [50, 500, 990, 5_000, 200_000])
def test_deep_nesting_in_every_field(client: Wire, upstream: Wire, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    fields = {*HELLO[client], "system", "tools", "tool_choice", "metadata", "reasoning", "novelty"}
    for field in sorted(fields):
        others = {key: value for key, value in HELLO[client].items() if key != field}
        text = json.dumps(others).removesuffix("}")
        tried(f'{text},"{field}":{deep}}}'.encode(), client, upstream)
        tried(f'{text},"{field}":[{{"content":{deep},"type":{deep}}}]}}'.encode(), client, upstream)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@pytest.mark.parametrize("depth", [100, 400, 990, 5_000])
@pytest.mark.parametrize("shape", [('{"a":', "}"), ("[", "]")])
def test_deep_nesting_where_anything_may_stand(
    client: Wire, upstream: Wire, depth: int, shape: tuple[str, str]
) -> None:
    deep = '{"a":' + shape[0] * depth + "1" + shape[1] * depth + "}"
    mark = "0xdeep"
    schema: JsonObject = {"type": "object", "properties": mark}
    asked = dict(HELLO[client])
    match client:
        case "anthropic":
            asked["tools"] = [{"name": "f", "input_schema": schema}]
            call: JsonObject = {"type": "tool_use", "id": "1", "name": "f", "input": mark}
            asked["messages"] = [*HELLO[client]["messages"], {"role": "assistant", "content": [call]}]
        case "chat":
            asked["tools"] = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
            call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": mark}}
            asked["messages"] = [*HELLO[client]["messages"], {"role": "assistant", "tool_calls": [call]}]
        case "responses":
            asked["tools"] = [{"type": "function", "name": "f", "parameters": schema}]
            call = {"type": "function_call", "call_id": "1", "name": "f", "arguments": deep}
            asked["input"] = [{"role": "user", "content": "x"}, call]
    tried(json.dumps(asked).replace(f'"{mark}"', deep).encode(), client, upstream)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_thirty_megabytes_of_text(client: Wire, upstream: Wire) -> None:
    asked = json.dumps(HELLO[client]).replace("hello", "x" * 30_000_000)
    translation = tried(asked.encode(), client, upstream)
    assert translation
    assert len(translation.body) > 30_000_000
