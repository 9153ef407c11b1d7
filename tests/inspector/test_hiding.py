"""What is taken out of a body, and that nothing else is."""

import json

import pytest

from ccproxy.inspector.hiding import is_secret_header, plain_url, without_credentials, without_secrets

SERVERS = (
    '{"max_tokens": 1.0, "mcp_servers": [{"type":"url","url":"https://a","authorization_token":"hush"}],'
    ' "tools":[{"type":"mcp","authorization":"hush","headers":{"x":"hush"}},'
    '{"name":"t","input_schema":{"properties":{"headers":{"type":"object"},"api_key":{"type":"string"}}}}],'
    ' "messages":[{"role":"user","content":"authorization: it was said"}]}'
)


def test_credentials_for_the_servers_of_others() -> None:
    assert without_credentials(SERVERS) == SERVERS.replace('"hush"', '"[hidden]"')
    assert without_credentials('{"mcp_servers":[{"authorization_token":null}]}').endswith("null}]}")


def test_what_is_no_json_is_read_as_a_log_line_is() -> None:
    assert "hush" not in without_credentials("{ authorization: Bearer hush")


def test_keys_in_texts_and_anywhere_in_streams() -> None:
    said = {"type": "x", "text": 'the key is sk-ant-api03-hush0123 and "authorization: hush"', "n": 1}
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
