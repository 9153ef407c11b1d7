import json

import pytest

from ccproxy.formats.models import pick, to_anthropic, to_openai

ANTHROPIC = {"type": "model", "id": "claude-x", "display_name": "X", "created_at": "2026-01-02T03:04:05Z"}
CODEX = {"slug": "gpt-x", "display_name": "GPT X", "visibility": "list", "base_instructions": "long"}
HIDDEN = {"slug": "gpt-old", "display_name": "Old", "visibility": "hide"}
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


def test_a_chatgpt_plans() -> None:
    body = json.dumps({"models": [HIDDEN, CODEX, {"slug": "gpt-y"}]}).encode()
    listed = [
        {"id": name, "object": "model", "created": 0, "owned_by": "openai"} for name in ("gpt-x", "gpt-y")
    ]
    assert json.loads(to_openai(body)) == {"object": "list", "data": listed}
    answer = json.loads(to_anthropic(body))
    assert [(model["id"], model["display_name"]) for model in answer["data"]] == [
        ("gpt-x", "GPT X"),
        ("gpt-y", "gpt-y"),
    ]
    assert (answer["first_id"], answer["last_id"], answer["has_more"]) == ("gpt-x", "gpt-y", False)
    assert json.loads(to_anthropic(b'{"models":[]}'))["data"] == []


def test_one_model_of_a_list() -> None:
    body = json.dumps({"models": [HIDDEN, CODEX]}).encode()
    one = pick(body, "gpt-x")
    assert one is not None
    assert json.loads(to_openai(one)) == {
        "id": "gpt-x",
        "object": "model",
        "created": 0,
        "owned_by": "openai",
    }
    assert json.loads(to_anthropic(one))["display_name"] == "GPT X"
    assert pick(body, "gpt-z") is None
    assert pick(body, "gpt-old") is None
    assert (
        pick(json.dumps({"data": [ANTHROPIC]}).encode(), "claude-x")
        == json.dumps(ANTHROPIC, separators=(",", ":")).encode()
    )
    for no_list in (b"", b"[]", json.dumps(OPENAI).encode()):
        with pytest.raises(ValueError):
            pick(no_list, "gpt-x")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"data":{}}', b'{"data":[{}]}', b'{"data":[1]}', b'{"data":null}'),
        *(b'{"models":{}}', b'{"models":[{"slug":1}]}', b'{"models":null}'),
    ],
)
def test_what_is_no_list_of_models(body: bytes) -> None:
    for change in (to_openai, to_anthropic):
        with pytest.raises(ValueError):
            change(body)
