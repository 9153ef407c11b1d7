"""What of a flow goes onto a cassette; `cli/test_record.py` records real requests."""

import json
import logging
from itertools import batched
from pathlib import Path

import pytest
from mitmproxy.test import tflow, tutils

from ccproxy import failures
from ccproxy.addons.exchanges import begin
from ccproxy.addons.recording import Recording, hidden, is_models, said, where
from ccproxy.client_side import ClientSide
from ccproxy.exchange import Exchange
from ccproxy.records.cassette import append, create, read


def exchange(method: str = "GET", path: str = "/api/v1/models?limit=5", **more: object) -> Exchange:
    made = Exchange("reverse", method, path, policy="attach", backend="api")
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (exchange(), True),
        (exchange(path="/api/v1/models/claude-opus-4-8"), True),
        (exchange(method="POST"), False),
        (exchange(path="/api/v1/models/a/b"), False),
        (exchange(policy="relay"), False),
        (exchange(backend=None), False),
        (exchange(socket=True), False),
    ],
)
def test_lists_of_models(made: Exchange, expected: bool) -> None:
    assert is_models(made) == expected


def test_where_a_client_sent_it() -> None:
    assert where(exchange()) == "/api/v1/models"
    tunnel = exchange(path="/v1/messages?beta=true", door="tunnel", route="https://api.anthropic.com")
    assert where(tunnel) == "https://api.anthropic.com/v1/messages"


def test_secrets_are_hidden_and_the_rest_stays() -> None:
    event = 'event: a\ndata: {"text": "sk-ant-api03-abcdef0123  and  the-token"}\n\n'
    clean = 'event: a\ndata: {"text": "sk-ant-[sealed]  and  [hidden]"}\n\n'
    assert hidden([(0.5, event)], "the-token") == [(0.5, clean)]
    assert hidden([(0.0, "no secret: ä")], None) == [(0.0, "no secret: ä")]


def test_a_key_that_streams_and_what_a_tool_is_called_with(tmp_path: Path) -> None:
    """The key is on the cassette in no form; the rest of the arguments is what the client got."""
    path, flow = tmp_path / "c", tflow.tflow(resp=True)
    create(path)
    assert flow.response
    flow.response.headers["content-type"] = "text/event-stream"
    made = exchange(method="POST", path="/api/v1/messages", operation="messages")
    begin(flow, made)
    code = 'def f(authorization: str, cookie: str): "Authorization: x"'
    arguments = json.dumps({"content": f"{code}\nsk-ant-api03-hushHUSH0123"})
    side = ClientSide("/api/v1/messages", b'{"model": "m"}', made.started)
    for part in batched(arguments, 4):
        delta = {"type": "input_json_delta", "partial_json": "".join(part)}
        event = {"type": "content_block_delta", "index": 1, "delta": delta}
        side.hear(f"event: content_block_delta\ndata: {json.dumps(event)}\n\n".encode())
    append(path, Recording(path, None).recorded(flow, made, flow.response, side))
    (one,) = read(path)
    assert len(one.answer) == len(side.heard)
    deltas = [json.loads(text.split("data: ")[1])["delta"]["partial_json"] for _, text in one.answer]
    assert json.loads("".join(deltas)) == {"content": f"{code}\nsk-ant-[sealed]"}


def test_a_file_that_is_gone_is_not_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It would have no head, and everybody could read it."""
    flow = tflow.tflow(resp=tutils.tresp(content=b"{}"))
    begin(flow, exchange())
    Recording(tmp_path / "gone", None).response(flow)
    assert "Not recorded: GET /api/v1/models" in caplog.text
    assert not (tmp_path / "gone").exists()


def test_only_an_object_is_a_request() -> None:
    assert said(b'{"model": "m"}', None) == {"model": "m"}
    assert said(b"[]", None) is None
    assert said(b"\xff", None) is None


def test_a_list_of_models_is_written(tmp_path: Path) -> None:
    path = tmp_path / "c"
    create(path)
    flow = tflow.tflow(resp=tutils.tresp(content=b'{"data": []}'))
    flow.request.content = b""
    begin(flow, exchange())
    recording = Recording(path, None)
    recording.responseheaders(flow)
    recording.response(flow)
    (one,) = read(path)
    assert (one.operation, one.path, one.body, one.request) == (
        "models",
        "/api/v1/models",
        '{"data": []}',
        None,
    )


def test_errors_of_our_own_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "c"
    create(path)
    flow = tflow.tflow(resp=True)
    begin(flow, exchange(failure=failures.unauthorized()))
    Recording(path, None).response(flow)
    assert read(path) == []


def test_a_disk_that_is_full_does_not_stop_anybody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    flow = tflow.tflow(resp=tutils.tresp(content=b"{}"))
    begin(flow, exchange())
    with caplog.at_level(logging.ERROR):
        Recording(tmp_path / "none" / "c", None).response(flow)
    assert "Not recorded: GET /api/v1/models" in caplog.text
