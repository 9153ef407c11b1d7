"""What a translation could not carry. A loss is a value that somebody returns, never a line in a log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the other side does not get as it was said.

    `path` names it in the client's own request (`messages.2.content.0`, `logit_bias`); `note` is empty when
    it was left out and one word when it was changed (`clamped`, `wrapped`); `why` is for people.
    """

    path: str
    why: str
    note: str = ""

    @property
    def label(self) -> str:
        """As in the `x-ccproxy-warnings` header: `temperature(clamped)`."""
        return f"{self.path}({self.note})" if self.note else self.path


class RequestError(Exception):
    """A request that is wrong, or that must not be carried in part because the answer would mean less.

    `path` names the field in the client's request; the text says what is wrong and what to do.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
