import json

import pytest

from ccproxy.backends.models import Choice
from ccproxy.conversation.parts import Wire
from ccproxy.formats.sse import Reader
from ccproxy.rename import StreamRenamer, changed_reply, changed_request


@pytest.mark.parametrize(
    ("wire", "before", "after"),
    [
        ("anthropic", {"output_config": {"format": 1}}, {"output_config": {"format": 1, "effort": "high"}}),
        ("anthropic", {}, {"output_config": {"effort": "high"}}),
        ("chat", {"reasoning_effort": "low"}, {"reasoning_effort": "high"}),
        (
            "responses",
            {"reasoning": {"summary": "auto"}},
            {"reasoning": {"summary": "auto", "effort": "high"}},
        ),
    ],
)
def test_a_request_for_another_model(wire: Wire, before: dict[str, object], after: dict[str, object]) -> None:
    value = {"stream": True, "model": "old", **before, "z": 1}
    changed = changed_request(value, wire, Choice("new", None, "high"))
    assert json.loads(changed) == {"stream": True, "model": "new", **before, "z": 1, **after}
    assert list(json.loads(changed))[:2] == ["stream", "model"]
    assert value["model"] == "old"


def test_without_an_effort_only_the_model_changes() -> None:
    assert json.loads(changed_request({"model": "a"}, "chat", Choice("b"))) == {"model": "b"}


def test_a_reply() -> None:
    assert json.loads(changed_reply(b'{"model":"b","x":{"model":"b"}}', "a")) == {
        "model": "a",
        "x": {"model": "b"},
    }
    for body in (b"<html>", b"[]", b'{"error":{}}'):
        assert changed_reply(body, "a") == body


@pytest.mark.parametrize(
    ("wire", "event", "path"),
    [
        ("anthropic", 'event: message_start\ndata: {"message":{"model":"b","n":1}}', ["message"]),
        ("responses", 'event: response.created\ndata: {"response":{"model":"b"}}', ["response"]),
        (
            "chat",
            'data: {"id":"x", "model" : "b","choices":[{"delta":{"content":"\\"model\\":\\"b\\""}}]}',
            [],
        ),
    ],
)
def test_a_stream(wire: Wire, event: str, path: list[str]) -> None:
    renamer = StreamRenamer(wire, 'a"b')
    stream = f'{event}\n\nevent: ping\ndata: {{"type":"ping"}}\n\n'.encode()
    out = b"".join(piece for i in range(len(stream)) for piece in renamer.feed(stream[i : i + 1]))
    first, second = Reader().feed(out)
    value = json.loads(first.data)
    for key in path:
        value = value[key]
    assert value["model"] == 'a"b'
    assert second.data == '{"type":"ping"}'
    if wire == "chat":
        assert value["choices"][0]["delta"]["content"] == '"model":"b"'


def test_done_passes() -> None:
    assert StreamRenamer("chat", "a").feed(b"data: [DONE]\n\n") == [b"data: [DONE]\n\n"]


def test_how_a_renamed_stream_ends_is_the_upstreams_business() -> None:
    assert not StreamRenamer("chat", "mine").cut()
