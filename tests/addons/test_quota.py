from datetime import UTC, datetime

from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.test import tflow

from ccproxy.addons.exchanges import begin
from ccproxy.addons.quota import Quotas, utc_now
from ccproxy.exchange import Exchange
from ccproxy.quota.windows import Quota
from ccproxy.routes import BackendName
from ccproxy.simulator.anthropic import limits as anthropic
from ccproxy.simulator.codex import limits as codex

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLAUDES = anthropic.headers("oauth", clock=NOW.timestamp)
CODEXS = codex.headers(NOW.timestamp())


def answer(headers: dict[str, str], backend: BackendName | None, sent: float | None = 1.0) -> HTTPFlow:
    flow = tflow.tflow(resp=True)
    begin(flow, Exchange("reverse", "POST", "/x", backend=backend, sent=sent))
    assert flow.response
    flow.response.headers = Headers(
        (name.title().encode(), value.encode()) for name, value in headers.items()
    )
    return flow


def quotas() -> Quotas:
    return Quotas(Quota(), lambda: NOW)


def test_answers_of_each_provider() -> None:
    stage = quotas()
    stage.responseheaders(answer(CLAUDES, "api"))
    stage.responseheaders(answer(CODEXS, "codex"))
    assert [window.label for window in stage.quota.last["claude"].windows] == ["5h", "7d"]
    assert [window.label for window in stage.quota.last["codex"].windows][:2] == ["5h", "7d"]
    assert stage.quota.last["codex"].seen_at == NOW


def test_answers_that_are_not_of_a_plan() -> None:
    stage = quotas()
    for flow in (
        answer(CLAUDES, None),
        answer(CLAUDES, "openai"),
        answer(CLAUDES, "api", sent=None),
        answer(CODEXS, "api"),
        answer(CLAUDES, "codex"),
    ):
        stage.responseheaders(flow)
    stage.responseheaders(tflow.tflow(resp=True))
    assert stage.quota.last == {}


def test_an_answer_without_figures_changes_nothing() -> None:
    stage = quotas()
    stage.responseheaders(answer(CLAUDES, "api"))
    before = stage.quota.as_json()
    stage.responseheaders(answer({"content-type": "text/html"}, "api"))
    stage.event({"type": "codex.rate_limits"})
    assert stage.quota.as_json() == before


def test_events_of_a_stream() -> None:
    stage = quotas()
    stage.event(codex.event(NOW.timestamp(), "plus"))
    assert stage.quota.last["codex"].plan == "plus"


def test_the_clock_knows_its_zone() -> None:
    assert abs((datetime.now(UTC) - utc_now()).total_seconds()) < 60
