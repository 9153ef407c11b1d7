"""What the Responses API remembers: answers that were stored, and which item needs which reasoning."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.responses_items import Item, as_item


@dataclass(frozen=True, slots=True)
class Stored:
    """A finished answer. `history` is everything that was said up to it, its own output included."""

    response: dict[str, Any]
    events: list[dict[str, Any]]
    input: list[Item]
    history: list[Item]


@dataclass(slots=True)
class ResponseStore:
    responses: dict[str, Stored] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    reasoning_before: dict[str, str] = field(default_factory=dict)
    """Of an output item that followed a reasoning item: the id of that one."""

    def clear(self) -> None:
        self.responses.clear()
        self.items.clear()
        self.reasoning_before.clear()

    def get(self, response_id: str) -> Stored:
        """Raises ApiError when nothing is stored under this id."""
        if response_id not in self.responses:
            raise ApiError(404, f"Response with id '{response_id}' not found.")
        return self.responses[response_id]

    def previous(self, response_id: str) -> Stored:
        """What a request goes on from. Raises ApiError."""
        if response_id not in self.responses:
            message = f"Previous response with id '{response_id}' not found."
            raise ApiError(400, message, param="previous_response_id", code="previous_response_not_found")
        return self.responses[response_id]

    def keep(
        self, response: dict[str, Any], events: list[dict[str, Any]], asked: list[Item], history: list[Item]
    ) -> None:
        """Stores an answer and its items under their ids; `history` is what it was an answer to."""
        output = [as_item(item) for item in response["output"]]
        self.responses[response["id"]] = Stored(response, events, asked, [*history, *output])
        for item, read in zip(response["output"], output, strict=True):
            self.items[item["id"]] = read
        for before, item in pairwise(response["output"]):
            if before["type"] == "reasoning":
                self.reasoning_before[item["id"]] = before["id"]
