"""Laws: what needs no translation loses nothing, and what is lost is named as the client knows it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Wire
from tests.laws.conversations import MODELS, OLDER, Conversation, body, conversations
from tests.laws.pace import examples
from tests.laws.richness import rich
from tests.laws.streams import PAIRS, WIRES
from tests.laws.translations import translated


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(conversation=conversations())
@examples(40)
def test_nothing_is_lost_of_what_all_formats_have(
    client: Wire, upstream: Wire, conversation: Conversation
) -> None:
    assert translated(body(client, conversation), client, upstream).losses == ()


@pytest.mark.parametrize("client", WIRES)
@given(conversation=conversations(), data=st.data())
@examples(250)
def test_a_loss_names_what_stands_in_the_request(
    client: Wire, conversation: Conversation, data: st.DataObject
) -> None:
    asked = {**body(client, conversation), **data.draw(rich(client))}
    for upstream in WIRES:
        for models in (MODELS, OLDER):
            for path in named(json.dumps(asked).encode(), client, upstream, models):
                assert stands_in(asked, path), (upstream, path)


def named(raw: bytes, client: Wire, upstream: Wire, models: dict[Wire, str]) -> list[str]:
    """The paths that the losses name, or the refusal."""
    try:
        return [loss.path for loss in translated(raw, client, upstream, models).losses]
    except RequestError as refused:
        return [refused.path]


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
