"""Answers of our own routes that nobody may keep, and their errors."""

from starlette.responses import Response

from ccproxy.failures import Failure
from ccproxy.formats import utility

NO_STORE = {"cache-control": "no-store"}


def refused(failure: Failure) -> Response:
    """An error where there is no provider's format to speak."""
    headers = {**NO_STORE, "x-ccproxy-error": failure.code}
    return Response(utility.body(failure, ""), failure.status, headers, "application/json")
