"""The wire formats, and how an error of ours looks in each.

Every format module offers the same faces; `ERRORS` is how the rest of the house finds them by name.
"""

from typing import Literal, Protocol

from ccproxy.failures import Failure
from ccproxy.formats import utility
from ccproxy.formats.anthropic import errors as anthropic_errors
from ccproxy.formats.chat import errors as chat_errors
from ccproxy.formats.responses import errors as responses_errors

FormatName = Literal["anthropic", "chat", "responses", "utility"]


class ErrorFormat(Protocol):
    """How a format says that something failed."""

    def body(self, failure: Failure, request_id: str) -> bytes:
        """The JSON body of an error answer."""
        ...

    def event(self, failure: Failure, request_id: str) -> bytes:
        """The server-sent event that ends a stream with an error, blank line included."""
        ...


ERRORS: dict[FormatName, ErrorFormat] = {
    "anthropic": anthropic_errors,
    "chat": chat_errors,
    "responses": responses_errors,
    "utility": utility,
}
