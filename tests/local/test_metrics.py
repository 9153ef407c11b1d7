"""The route, over a real socket."""

import httpx
from starlette.applications import Starlette

from ccproxy.local.metrics import Page, metric_routes
from tests.support.metrics import busy
from tests.support.serving import serving


async def get(page: Page | None, accept: str = "*/*") -> httpx.Response:
    async with serving(Starlette(routes=metric_routes(page))) as url:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"{url}/metrics", headers={"accept": accept})


async def test_off() -> None:
    answer = await get(None)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (404, "metrics_off")
    assert "observability.metrics = true" in answer.json()["error"]["message"]


async def test_text() -> None:
    answer = await get(busy().page)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "\nccproxy_requests_total{" in answer.text


async def test_openmetrics() -> None:
    answer = await get(busy().page, "application/openmetrics-text;version=1.0.0,text/plain;q=0.3")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
