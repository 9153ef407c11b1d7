import json

import pytest

from ccproxy.formats.models import to_anthropic, to_openai

ANTHROPIC = {"type": "model", "id": "claude-x", "display_name": "X", "created_at": "2026-01-02T03:04:05Z"}
OPENAI = {"id": "gpt-x", "object": "model", "created": 1767323045, "owned_by": "openai"}


def test_anthropics_for_openai_clients() -> None:
    body = json.dumps({"data": [ANTHROPIC, {"id": "claude-y"}], "has_more": False}).encode()
    assert json.loads(to_openai(body)) == {
        "object": "list",
        "data": [
            {"id": "claude-x", "object": "model", "created": 1767323045, "owned_by": "anthropic"},
            {"id": "claude-y", "object": "model", "created": 0, "owned_by": "anthropic"},
        ],
    }
    assert json.loads(to_openai(json.dumps(ANTHROPIC).encode()))["id"] == "claude-x"


def test_openais_for_anthropic_clients() -> None:
    model = {"type": "model", "id": "gpt-x", "display_name": "gpt-x", "created_at": "2026-01-02T03:04:05Z"}
    body = json.dumps({"object": "list", "data": [OPENAI]}).encode()
    assert json.loads(to_anthropic(body)) == {
        "data": [model],
        "has_more": False,
        "first_id": "gpt-x",
        "last_id": "gpt-x",
    }
    assert json.loads(to_anthropic(json.dumps(OPENAI).encode())) == model
    assert json.loads(to_anthropic(b'{"data":[]}'))["first_id"] is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data":{}}', b'{"data":[{}]}', b'{"data":[1]}'])
def test_what_is_no_list_of_models(body: bytes) -> None:
    for change in (to_openai, to_anthropic):
        with pytest.raises(ValueError):
            change(body)
