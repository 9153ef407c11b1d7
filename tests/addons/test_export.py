"""The commands, asked as mitmproxy asks them, and what they write."""

import json
from pathlib import Path

import pyperclip  # type: ignore[import-untyped]
import pytest
from mitmproxy import exceptions, http
from mitmproxy.test import taddons, tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from ccproxy.addons.export import Export, export_text, har_text

SECRET = "hush0123456789"
URL = "https://api.anthropic.com/v1/messages?key=hush0123456789"


def flow_with_secrets(**parts: bool) -> http.HTTPFlow:
    """A flow that somebody else has recorded: nothing in it was sealed."""
    flow = tflow.tflow(**parts)  # type: ignore[arg-type]
    asked = {"model": "m", "mcp_servers": [{"authorization_token": SECRET}], "messages": []}
    flow.request = http.Request.make("POST", URL, json.dumps(asked))
    flow.request.headers["content-type"] = "application/json"
    for name in ("x-api-key", "authorization", "cookie", "x-goog-api-key", "chatgpt-account-id"):
        flow.request.headers[name] = SECRET
    flow.request.encode("gzip")
    if flow.response:
        said = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": f"sk-ant-{SECRET}"}}
        flow.response.headers["set-cookie"] = f"a={SECRET}"
        flow.response.headers["content-type"] = "text/event-stream"
        flow.response.content = f"event: content_block_delta\ndata: {json.dumps(said)}\n\n".encode()
    return flow


@pytest.mark.parametrize("format_name", ["curl", "python", "har"])
def test_a_file_without_secrets(format_name: str, tmp_path: Path) -> None:
    flow = flow_with_secrets(resp=True)
    with taddons.context(Export()) as context:
        path = str(tmp_path / "out")
        context.master.commands.call("ccproxy.export", format_name, [flow], path)
        assert context.master.commands.call("ccproxy.export.formats") == ["curl", "python", "har"]
    text = (tmp_path / "out").read_text()
    assert "hush" not in text
    assert "api.anthropic.com/v1/messages" in text or '"https://api.anthropic.com"' in text.replace("'", '"')
    assert SECRET in str(flow.request.headers), "the flow itself stays as it is"


def test_a_har_has_what_the_format_asks_for() -> None:
    """HAR 1.2 (Software is hard, read 2026-11-22): the fields that are not optional."""
    socket = tflow.twebsocketflow()
    assert socket.websocket
    socket.websocket.messages[0].content = b'{"type":"x","access_token":"hush0"}'
    text = har_text([flow_with_secrets(resp=True), flow_with_secrets(err=True), socket])
    assert "hush" not in text
    log = json.loads(text)["log"]
    assert log["version"] == "1.2"
    assert log["creator"].keys() >= {"name", "version"}
    assert len(log["entries"]) == 3
    for entry in log["entries"]:
        assert entry.keys() >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        assert entry["timings"].keys() >= {"send", "wait", "receive"}
        both = {"httpVersion", "cookies", "headers", "headersSize", "bodySize"}
        assert entry["request"].keys() >= both | {"method", "url", "queryString"}
        assert entry["response"].keys() >= both | {"status", "statusText", "content", "redirectURL"}
        assert entry["response"]["content"].keys() >= {"size", "mimeType"}
    first = log["entries"][0]
    assert json.loads(first["request"]["postData"]["text"])["model"] == "m"
    assert first["response"]["content"]["text"].startswith("event: content_block_delta\ndata: {")


def test_credentials_of_a_login() -> None:
    """By their names, in addresses, forms and JSON, and where an answer sends the browser."""
    form = b"grant_type=refresh_token&refresh_token=hush0&code=hush1"
    flow = tflow.tflow(resp=True)
    flow.request = http.Request.make("POST", "https://a.example/token?state=1&refresh_token=hush2", form)
    flow.request.headers["referer"] = "https://x.example/?code=hush3"
    assert flow.response
    flow.response.headers["location"] = "http://localhost:1/callback?code=hush4&state=x"
    flow.response.headers["content-type"] = "application/json"
    flow.response.content = b'{"access_token":"hush5","id_token":"hush6","token":"hush7"}'
    har, curl = har_text([flow]), export_text("curl", [flow])
    for text in (har, curl):
        assert "hush" not in text
        assert "grant_type=refresh_token&refresh_token=[hidden]" in text
    assert "callback?code=[hidden]&state=x" in har
    assert curl.startswith("# [hidden] stands for credentials")


def test_a_key_in_pieces_is_in_no_har() -> None:
    parts = ["my sk-a", "nt-api0", "3-hushH", "USH0123", "."]
    stream, socket = tflow.tflow(resp=True), tflow.twebsocketflow()
    chunks = [json.dumps({"choices": [{"index": 0, "delta": {"content": part}}]}) for part in parts]
    events = [json.dumps({"type": "response.output_text.delta", "delta": part}) for part in parts]
    assert stream.response
    assert socket.websocket
    stream.response.content = "".join(f"data: {chunk}\n\n" for chunk in chunks).encode()
    socket.websocket.messages = [WebSocketMessage(Opcode.TEXT, False, one.encode()) for one in events]
    text = har_text([stream, socket])
    for part in parts[1:-1]:
        assert part not in text
    assert text.count("my sk-ant-[sealed]") == 2


def test_the_clipboard(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(pyperclip, "copy", taken.append)
    with taddons.context(Export()) as context:
        context.master.commands.call("ccproxy.clip", "curl", [flow_with_secrets()])
    assert taken[0].startswith("# [hidden] stands for credentials")


def test_what_is_not_possible(tmp_path: Path) -> None:
    flow, bodiless = flow_with_secrets(), flow_with_secrets()
    flow.request.path = "/v1/models"
    bodiless.request.raw_content = None
    cases = [("nonsense", [flow]), ("curl", []), ("python", [flow]), ("curl", [bodiless])]
    with taddons.context(Export()) as context:
        for format_name, flows in cases:
            with pytest.raises(exceptions.CommandError):
                context.master.commands.call("ccproxy.export", format_name, flows, str(tmp_path / "x"))
        with pytest.raises(exceptions.CommandError):
            context.master.commands.call("ccproxy.export", "curl", [flow], str(tmp_path / "no" / "x"))
    assert not (tmp_path / "x").exists()
