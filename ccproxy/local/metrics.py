"""`GET /metrics`, for Prometheus."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ccproxy.failures import Failure
from ccproxy.local.refusals import NO_STORE, refused
from ccproxy.routes import METRICS

Page = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Makes the page for an `Accept` header; also gives its content type."""


def metrics_off() -> Failure:
    message = "Metrics are off. Set observability.metrics = true and start the proxy again."
    return Failure("metrics_off", 404, "not_found_error", message)


def metric_routes(page: Page | None) -> list[BaseRoute]:
    """`page` None is metrics that are switched off: the route says so."""

    async def get_metrics(request: Request) -> Response:
        if page is None:
            return refused(metrics_off())
        content, content_type = await page(request.headers.get("accept", ""))
        # not as `media_type`, to which a charset would be added a second time
        return Response(content, headers={**NO_STORE, "content-type": content_type})

    return [Route(METRICS, get_metrics)]
