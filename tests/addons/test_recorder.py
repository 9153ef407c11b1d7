import json
from collections.abc import Iterator

import pytest
from mitmproxy import flow as mitmproxy_flow
from mitmproxy.test import taddons, tflow

from ccproxy import failures
from ccproxy.addons.exchanges import begin
from ccproxy.addons.recorder import KEPT, Line, Recorder
from ccproxy.credentials.credential import Secret
from ccproxy.exchange import Exchange
from ccproxy.routes import USAGE


@pytest.fixture(autouse=True)
def tool() -> Iterator[None]:
    with taddons.context():
        yield


def exchange() -> Exchange:
    made = Exchange("reverse", "POST", "/api/v1/messages?beta=true", policy="attach")
    made.attached = [("x-api-key", "hush")]
    made.secret = Secret((("x-api-key", "hush"),))
    return made


def test_an_exchange_runs_until_its_answer() -> None:
    recorder, flow, made = Recorder(), tflow.tflow(resp=True), exchange()
    begin(flow, made)
    recorder.requestheaders(flow)
    assert list(recorder.under_way.values()) == [made]
    recorder.response(flow)
    assert not recorder.under_way
    assert list(recorder.finished) == [made]
    assert made.status == 200
    assert made.ended is not None
    assert made.attached == []
    assert made.secret is None


def test_further_attempts_are_in_the_line() -> None:
    made = exchange()
    assert "retries" not in str(Line(made))
    made.retries = 2
    assert " retries=2 " in str(Line(made))


def test_what_ended_it() -> None:
    for message, failure, error in (
        ("Client disconnected.", None, "client_disconnected"),
        ("something else", None, "aborted"),
        ("silent", failures.upstream_timeout("h", 1), "upstream_timeout"),
    ):
        recorder, flow, made = Recorder(), tflow.tflow(), exchange()
        begin(flow, made)
        recorder.requestheaders(flow)
        made.failure = failure
        flow.error = mitmproxy_flow.Error(message)
        recorder.error(flow)
        assert made.error == error
        assert list(recorder.finished) == [made]
        assert not recorder.under_way


def test_only_the_newest_are_kept_and_relayed_ones_never() -> None:
    recorder = Recorder()
    for number in range(KEPT + 5):
        flow, made = tflow.tflow(resp=True), exchange()
        made.policy = "relay" if number % 2 else "attach"
        begin(flow, made)
        recorder.response(flow)
    assert len(recorder.finished) == (KEPT + 6) // 2


def test_a_flow_of_another_layer_is_left_alone() -> None:
    recorder, flow = Recorder(), tflow.tflow(resp=True)
    recorder.requestheaders(flow)
    recorder.response(flow)
    assert not recorder.under_way
    assert not recorder.finished


def test_a_line() -> None:
    made = exchange()
    made.status, made.model_served, made.error = 200, "m", "aborted"
    made.usage.input, made.usage.output = 12, 3
    made.ended = made.started + 1.234
    assert str(Line(made)) == "POST /api/v1/messages -> 200 aborted m 12 in, 3 out 1.23 s"


def test_the_cost_is_in_the_line() -> None:
    made = exchange()
    made.usage.output, made.usage.cost = 3, 0.01234
    assert " 0 in, 3 out $0.0123 " in str(Line(made))


def test_a_line_of_an_intercepted_exchange_names_the_host() -> None:
    made = Exchange("tunnel", "POST", "/v1/messages", upstream="api.anthropic.com", status=200)
    assert str(Line(made)).startswith("POST https://api.anthropic.com/v1/messages -> 200")


def test_sums_of_what_models_have_answered() -> None:
    recorder = Recorder()
    for operation, cost in (("messages", 0.5), ("responses", None), ("models", None)):
        flow, made = tflow.tflow(resp=True), exchange()
        made.operation = operation  # type: ignore[assignment]
        made.usage.input, made.usage.output, made.usage.cache_read, made.usage.cost = 10, 2, 8, cost
        begin(flow, made)
        recorder.response(flow)
    sums = recorder.sums
    assert (sums.requests, sums.failed, sums.tokens_input, sums.tokens_output) == (2, 0, 20, 4)
    assert (sums.cache_read_tokens, sums.cache_write_tokens, sums.cost_usd) == (16, 0, 0.5)


def test_what_counts_as_failed() -> None:
    """Who lets go of an answer has not failed."""
    recorder = Recorder()
    for status, error, failure in (
        (429, None, None),
        (200, "client_disconnected", None),
        (None, None, failures.upstream_timeout("h", 1)),
    ):
        made = exchange()
        made.operation, made.status, made.error, made.failure = "messages", status, error, failure
        recorder.keep(made)
    assert (recorder.sums.requests, recorder.sums.failed, recorder.sums.cost_usd) == (3, 2, None)


def test_the_sums_are_told_to_who_was_let_in() -> None:
    recorder = Recorder()
    for admitted in (False, True):
        flow, made = tflow.tflow(), exchange()
        made.admitted, made.route = admitted, USAGE
        begin(flow, made)
        recorder.requestheaders(flow)
        assert (flow.response is not None) is admitted
    assert flow.response
    told = json.loads(flow.response.get_text() or "")
    assert (told["requests"], told["cost_usd"], told["under_way"]) == (0, None, 0)


def test_another_hears_of_what_has_ended_but_not_of_what_is_relayed() -> None:
    told: list[Exchange] = []
    recorder, first, refused, relayed = Recorder(told.append), exchange(), exchange(), exchange()
    refused.policy, refused.failure = "relay", failures.upstream_timeout("h", 1)
    relayed.policy = "relay"
    for made in (first, refused, relayed):
        recorder.keep(made)
    assert told == [first, refused]
    assert refused.error == "upstream_timeout"
