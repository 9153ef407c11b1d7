"""Laws: what needs no translation loses nothing, and what is lost is named as the client knows it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from tests.laws.conversations import MODELS, OLDER, Conversation, body, conversations
from tests.laws.pace import examples
from tests.laws.richness import rich
from tests.laws.streams import PAIRS, WIRES
from tests.laws.translations import HELLO, translated


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(conversation=conversations())
@examples(15)
def test_nothing_is_lost_of_what_all_formats_have(
    client: Wire, upstream: Wire, conversation: Conversation
) -> None:
    assert translated(body(client, conversation), client, upstream).losses == ()


@pytest.mark.parametrize("client", WIRES)
@given(data=st.data())
@examples(60)
def test_a_loss_names_what_stands_in_the_request(client: Wire, data: st.DataObject) -> None:
    asked = {**HELLO[client], **data.draw(rich(client))}
    for upstream in WIRES:
        for models in (MODELS, OLDER):
            for path in named(json.dumps(asked).encode(), client, upstream, models):
                assert stands_in(asked, said_as(path, asked)), (upstream, path)


@pytest.mark.parametrize(
    ("client", "upstream", "fields", "path"),
    [
        ("chat", "responses", {"max_completion_tokens": 5}, "max_completion_tokens"),
        ("responses", "chat", {"max_output_tokens": 900_000}, "max_output_tokens"),
        ("chat", "responses", {"reasoning_effort": "minimal"}, "reasoning_effort"),
        ("anthropic", "responses", {"output_config": {"effort": "max"}}, "output_config.effort"),
        (
            "anthropic",
            "responses",
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            "thinking",
        ),
        ("anthropic", "anthropic", {"output_config": {"effort": "max"}}, "output_config.effort"),
    ],
)
def test_what_was_once_called_by_another_name(
    client: Wire, upstream: Wire, fields: JsonObject, path: str
) -> None:
    asked = json.dumps({**HELLO[client], **fields}).encode()
    assert path in [said for models in (MODELS, OLDER) for said in named(asked, client, upstream, models)]


def named(raw: bytes, client: Wire, upstream: Wire, models: dict[Wire, str]) -> list[str]:
    """The paths that the losses name, or the refusal."""
    try:
        return [loss.path for loss in translated(raw, client, upstream, models).losses]
    except RequestError as refused:
        return [refused.path]


def said_as(path: str, asked: JsonObject) -> str:
    """Two parameters are called by their proper name even where the client used another.

    Chat Completions has an old name for the limit, and Responses may change the effort in its input.
    """
    if path == "max_completion_tokens" and path not in asked:
        return "max_tokens"
    return "input" if path == "reasoning.effort" and "reasoning" not in asked else path


def stands_in(value: Any, path: str) -> bool:
    """Whether a path leads somewhere; keys may have dots in them."""
    if not path:
        return False
    if isinstance(value, dict):
        return any(
            key == path or (path.startswith(f"{key}.") and stands_in(inner, path.removeprefix(f"{key}.")))
            for key, inner in value.items()
        )
    head, _, rest = path.partition(".")
    if not isinstance(value, list) or not head.isdigit() or int(head) >= len(value):
        return False
    return not rest or stands_in(value[int(head)], rest)
