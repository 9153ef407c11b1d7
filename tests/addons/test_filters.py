"""Filters of our own in mitmproxy's expressions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy import exceptions, flowfilter, http
from mitmproxy.addons import intercept, save, view
from mitmproxy.test import taddons, tflow

from ccproxy.addons import filters
from ccproxy.addons.exchanges import begin
from ccproxy.addons.filters import Filters, facts_of
from ccproxy.exchange import Exchange
from ccproxy.inspector.facts import Facts, answer_facts

ANSWER = {
    "type": "message",
    "model": "claude-served",
    "content": [{"type": "tool_use", "name": "Bash", "input": {}}],
    "usage": {"input_tokens": 40, "cache_read_input_tokens": 50, "output_tokens": 10},
}


@pytest.fixture
def loaded() -> Iterator[taddons.context]:
    with taddons.context(Filters()) as context:
        yield context
        context.master.addons.clear()


def flow_of(answer: dict[str, Any] | None) -> http.HTTPFlow:
    flow = tflow.tflow(resp=answer is not None)
    flow.request.path = "/v1/messages"
    flow.request.content = json.dumps({"model": "claude-asked", "tools": [{"name": "Read"}]}).encode()
    if flow.response:
        flow.response.content = json.dumps(answer).encode()
        flow.response.encode("gzip")
    return flow


@pytest.mark.parametrize(
    ("expression", "asked", "answered"),
    [
        ("~model claude-asked", True, True),
        ("~model SERVED", False, True),
        ("~tool ^bash$", False, True),
        ("~tool Read", False, False),
        ("~tokens 100", False, True),
        ("~tokens 101", False, False),
        ("~q & ~model 'claude-a.*'", True, False),
        ("!~tool Bash & ~m GET", True, False),
        ("~t json | ~tool 'x y'", False, False),
    ],
)
def test_what_they_match(loaded: taddons.context, expression: str, asked: bool, answered: bool) -> None:
    matches = flowfilter.parse(expression)
    assert bool(matches(flow_of(None))) is asked
    assert bool(matches(flow_of(ANSWER))) is answered
    assert not matches(tflow.ttcpflow()) or expression.startswith("!")


def test_what_the_proxy_knows_before_there_is_a_body(loaded: taddons.context) -> None:
    flow = flow_of(None)
    exchange = Exchange("reverse", "POST", "/", model_requested="mine", model_sent="theirs")
    exchange.usage.input, exchange.usage.output = 60, 40
    begin(flow, exchange)
    for expression in ("~model mine", "~model theirs", "~tokens 100"):
        assert flowfilter.match(expression, flow)
    assert facts_of(flow).tokens == 100
    flow.response = flow_of(ANSWER).response
    assert facts_of(flow).tokens == 100, "it is not counted twice"


def test_an_answer_that_changes_is_read_again(
    loaded: taddons.context, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(ANSWER)
    read: list[bytes] = []

    def counted(path: str, body: bytes) -> Facts:
        read.append(body)
        return answer_facts(path, body)

    monkeypatch.setattr(filters, "answer_facts", counted)
    assert flowfilter.match("~tool Bash & ~tokens 1 & ~model served", flow)
    assert len(read) == 1
    assert flow.response
    flow.response.content = json.dumps({**ANSWER, "content": []}).encode()
    assert not flowfilter.match("~tool Bash", flow)
    assert len(read) == 2


def test_each_frame_of_an_open_socket_is_judged_by_itself(loaded: taddons.context) -> None:
    flow = tflow.twebsocketflow()
    assert flow.websocket
    flow.websocket.timestamp_end = None
    call, text = flow.websocket.messages[:2]
    call.content = b'{"type":"response.output_item.done","item":{"type":"function_call","name":"shell"}}'
    text.content = b'{"type":"response.output_text.delta"}'
    flow.websocket.messages = [call]
    assert flowfilter.match("~tool shell", flow)
    flow.websocket.messages = [call, text]
    assert not flowfilter.match("~tool shell", flow)
    flow.websocket.timestamp_end = 1.0
    assert flowfilter.match("~tool shell", flow)


def test_they_go_when_the_addon_goes() -> None:
    before = (flowfilter.bnf, flowfilter.filter_rex, flowfilter.help)
    with taddons.context(Filters()) as context:
        assert ("~tool regex", "Tool called in the answer") in flowfilter.help
        context.master.addons.clear()
    assert (flowfilter.bnf, flowfilter.filter_rex, flowfilter.help) == before
    with pytest.raises(ValueError):
        flowfilter.parse("~tool Bash")


def test_a_mitmproxy_of_another_shape(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(flowfilter, "_make")
    before = flowfilter.filter_rex
    addon = Filters()
    with taddons.context(addon):
        addon.done()
    assert "~model, ~tool and ~tokens are missing" in caplog.text
    assert flowfilter.filter_rex is before
    flowfilter.parse("~m GET")


def test_filters_from_the_start_on() -> None:
    tools = (intercept.Intercept(), save.Save(), view.View())
    with taddons.context(*tools, Filters()) as context:
        chosen = ["intercept=~tool Bash", "save_stream_filter=~tokens 5", "view_filter=~model 'a=b'"]
        context.options.update(ccproxy_filters=chosen)
        assert context.options.intercept == "~tool Bash"
        assert context.options.save_stream_filter == "~tokens 5"
        assert context.options.view_filter == "~model 'a=b'"
        with pytest.raises(exceptions.OptionsError, match="no option nonsense"):
            context.options.update(ccproxy_filters=["nonsense=~all"])
        context.options.update(intercept=None, view_filter=None, save_stream_filter=None)
        context.master.addons.clear()
