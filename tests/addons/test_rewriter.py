"""The rewriter's small judgements; whole translations are in tests/scenarios/test_translation.py."""

from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy.addons.rewriter import LONGEST_WARNING, loss_refused, note_losses, set_headers, warnings
from ccproxy.conversation.losses import Loss
from ccproxy.exchange import Exchange


def test_headers_of_the_upstreams_kind() -> None:
    headers = http.Headers(
        User_Agent="a",
        OpenAI_Organization="o",
        X_Stainless_Lang="python",
        Traceparent="t",
        Content_Encoding="gzip",
    )
    set_headers(headers, "anthropic")
    assert dict(headers) == {
        "User-Agent": "a",
        "Traceparent": "t",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "anthropic-version": "2023-06-01",
    }
    headers = http.Headers(Anthropic_Beta="b", X_Claude_Code_Session_Id="s", X_App="cli", User_Agent="a")
    set_headers(headers, "responses")
    assert sorted(headers) == ["User-Agent", "accept-encoding", "content-type"]


def test_losses_in_a_header() -> None:
    losses = [
        Loss("seed", "why"),
        Loss("temperature", "why", "clamped"),
        Loss("seed", "again"),
        Loss("ä", "why"),
    ]
    assert warnings(losses) == "seed,temperature(clamped),?"
    many = [Loss(f"messages.{number}.content", "why") for number in range(500)]
    assert len(warnings(many)) == LONGEST_WARNING
    assert warnings(many).endswith("...")
    assert warnings([]) == ""


def test_a_loss_that_is_refused() -> None:
    failure = loss_refused(Loss("seed", "Claude has no seed"))
    assert (failure.status, failure.code, failure.param) == (400, "translation_loss", "seed")
    assert "Claude has no seed" in failure.message


def test_losses_come_one_stage_after_another() -> None:
    seed, stop = Loss("seed", "why"), Loss("stop", "why")
    for mode, said in (("warn", "seed,stop"), ("silent", "")):
        flow, exchange = tflow.tflow(), Exchange("reverse", "POST", "/", "chat")
        assert note_losses(flow, exchange, [seed], mode)
        assert note_losses(flow, exchange, [stop], mode)
        assert (exchange.losses, exchange.warnings, flow.response) == ((seed, stop), said, None)
    assert note_losses(flow, Exchange("reverse", "POST", "/", "chat"), [], "reject")
    assert not note_losses(flow, exchange, [], "reject")
    assert flow.response
    assert flow.response.status_code == 400
