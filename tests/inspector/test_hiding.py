"""What is taken out of a body, and that nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.inspector.hiding import (
    is_secret_header,
    pieces_without_secrets,
    plain_url,
    without_credentials,
    without_secrets,
)

SERVERS = (
    '{"max_tokens": 1.0, "mcp_servers": [{"type":"url","url":"https://a","authorization_token":"hush"}],'
    ' "tools":[{"type":"mcp","authorization":"hush","headers":{"x":"hush"}},'
    '{"name":"t","input_schema":{"properties":{"headers":{"type":"object"},"api_key":{"type":"string"}}}}],'
    ' "messages":[{"role":"user","content":"authorization: it was said"}]}'
)


def test_credentials_for_the_servers_of_others() -> None:
    assert without_credentials(SERVERS) == SERVERS.replace('"hush"', '"[hidden]"')
    assert without_credentials('{"mcp_servers":[{"authorization_token":null}]}').endswith("null}]}")


def test_what_is_no_json() -> None:
    assert without_credentials('{"api_key": "hush", broken') == '{"api_key": "[hidden]", broken'
    assert without_credentials("a sk-ant-api03-hush0123") == "a sk-ant-[sealed]"
    form = "grant_type=refresh_token&refresh_token=hush&code=hush&state=1"
    clean = "grant_type=refresh_token&refresh_token=[hidden]&code=[hidden]&state=1"
    assert without_credentials(form) == clean
    assert without_secrets(form.encode()) == clean.encode()


def test_what_servers_of_tokens_ask_and_answer() -> None:
    asked = {"grant_type": "authorization_code", "code": "hush", "code_verifier": "hush", "state": "s"}
    said = {"id_token": "hush", "token": "hush", "tokens": {"accessToken": "hush"}, "expires_in": 5}
    for body in (json.dumps(asked), json.dumps(said)):
        assert "hush" not in without_credentials(body)
        assert "hush" not in without_secrets(body.encode()).decode()
    error = b'{"type":"error","code":"rate_limit","message":"code: 1"}'
    assert without_secrets(error) == error


CODE = 'def f(authorization: str, cookie: str): # "Authorization: Bearer x", token=1&api_key=2'


@pytest.mark.parametrize(
    "body",
    [
        {"content": [{"type": "tool_use", "input": {"command": CODE, "api_key": "mine", "token": "t"}}]},
        {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": CODE}},
        {"type": "content_block_start", "content_block": {"type": "tool_use", "input": {"api_key": "mine"}}},
        {"choices": [{"logprobs": {"content": [{"token": "a"}]}, "delta": {"content": CODE}}]},
        {"type": "response.output_text.delta", "delta": CODE, "logprobs": [{"token": "a", "logprob": 0}]},
        {"input": [{"type": "function_call", "arguments": json.dumps({"authorization": CODE})}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": CODE}]}]},
    ],
)
def test_a_conversation_may_be_about_credentials(body: dict[str, Any]) -> None:
    """What a tool is called with is done, so another word in it does another thing."""
    text = json.dumps(body)
    assert without_secrets(text.encode()).decode() == text
    assert without_credentials(text) == text
    (clean,) = pieces_without_secrets([f"event: x\ndata: {text}\n\n"])
    assert clean == f"event: x\ndata: {text}\n\n"


KEY = "sk-ant-api03-hushHUSH_0123-hushHUSH"
SHAPES = {
    "text": '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":PIECE}}',
    "arguments": '{"type":"content_block_delta","index":0,"delta":{"partial_json":PIECE}}',
    "chat": '{"choices":[{"index":0,"delta":{"content":PIECE}}]}',
    "calls": '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":PIECE}}]}}]}',
    "responses": '{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":PIECE}',
}


def event(shape: str, piece: str) -> str:
    return SHAPES[shape].replace("PIECE", json.dumps(piece))


def piece_in(shape: str, written: str) -> str:
    before, after = SHAPES[shape].split("PIECE")
    assert written.startswith(before)
    assert written.endswith(after)
    return str(json.loads(written.removeprefix(before).removesuffix(after)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("length", [1, 4, 8, 100])
def test_a_key_that_came_in_pieces(shape: str, length: int) -> None:
    """As many events; together they say what the whole text would."""
    text = f'{{"command": "a\\n{KEY}", "b": "{KEY}"}}, and the-token-0123.'
    parts = [text[start : start + length] for start in range(0, len(text), length)]
    between = 'event: e\ndata: {"type":"content_block_delta","index":7,"delta":{"text":"x"}}\n\n'
    sent = [one for part in parts for one in (f"data: {event(shape, part)}\n\n", between)]
    clean = pieces_without_secrets(sent, "the-token-0123")
    assert len(clean) == len(sent)
    assert set(clean[1::2]) == {between}
    found = [piece_in(shape, one.removeprefix("data: ").removesuffix("\n\n")) for one in clean[::2]]
    assert "".join(found) == '{"command": "a\\nsk-ant-[sealed]", "b": "sk-ant-[sealed]"}, and [hidden].'


def test_a_key_that_began_with_its_block() -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": KEY[:9]}}
    events = [f"data: {one}\n\n" for one in (json.dumps(start), event("text", KEY[9:]))]
    assert "hush" not in "".join(pieces_without_secrets(events))


def test_blocks_and_answers_stand_for_themselves() -> None:
    """The end of one is not the beginning of another."""
    created = '{"type":"response.created","response":{}}'
    frames = [created, event("responses", "the end"), created]
    clean = pieces_without_secrets([*frames, event("responses", KEY)])
    assert json.loads(clean[-1])["delta"] == "sk-ant-[sealed]"


@given(st.lists(st.text(), max_size=6))
def test_pieces_without_a_key_stay(parts: list[str]) -> None:
    events = [f"data: {event('text', part)}\n\n" for part in parts]
    assert pieces_without_secrets(events) == events


@pytest.mark.parametrize(
    ("token", "clean"),
    [
        ("ok", '{"max_tokens":50,"text":"ok, ok-this-is-it, ok"}'),
        ("ok-this-is-it", '{"max_tokens":50,"text":"ok, [hidden], ok"}'),
        ("this-is-it", '{"max_tokens":50,"text":"ok, ok-[hidden], ok"}'),
        ("max_tokens", '{"max_tokens":50,"text":"ok, ok-this-is-it, ok"}'),
        ("k-this-is-it", '{"max_tokens":50,"text":"ok, ok-this-is-it, ok"}'),
    ],
)
def test_the_proxys_own_token(token: str, clean: str) -> None:
    """As a whole word, in values, and only if it is no word of everybody's."""
    assert pieces_without_secrets(['{"max_tokens":50,"text":"ok, ok-this-is-it, ok"}'], token) == [clean]


def test_keys_in_texts_and_anywhere_in_streams() -> None:
    said = {"type": "x", "text": 'the key is sk-ant-api03-hush0123 and "sk-ant-api03-hush4567"', "n": 1}
    body = without_secrets(json.dumps(said).encode())
    assert b"hush" not in body
    assert json.loads(body)["n"] == 1
    stream = f"event: a\ndata: {json.dumps(said)}\n\ndata: [DONE]\n\n".encode()
    clean = without_secrets(stream)
    assert b"hush" not in clean
    assert clean.endswith(b"\n\ndata: [DONE]\n\n")
    assert json.loads(clean.split(b"data: ")[1])["type"] == "x"
    assert without_secrets(b'{"access_token":"hush","expires_in":5}') == (
        b'{"access_token":"[hidden]","expires_in":5}'
    )


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b'{"a":"\\u00fc\\n"}', b"event: ping\ndata: {}\n\n", b"[1]"]
)
def test_all_else_stays_byte_for_byte(body: bytes) -> None:
    assert without_secrets(body) == body


def test_names_of_headers_and_parameters() -> None:
    for name in ("x-goog-api-key", "Authorization", "api-key", "x-auth-token", "set-cookie"):
        assert is_secret_header(name)
    for name in ("anthropic-ratelimit-tokens-remaining", "content-type", "x-request-id"):
        assert not is_secret_header(name)
    assert plain_url("https://a/b?beta=true&api_key=hush&x=1") == "https://a/b?beta=true&api_key=[hidden]&x=1"
    for name in ("key", "code", "token", "refresh_token", "id_token", "client_secret", "code_verifier"):
        assert plain_url(f"/a?{name}=hush#{name}=hush") == f"/a?{name}=[hidden]#{name}=[hidden]"
