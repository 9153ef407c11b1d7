from mitmproxy import http

from ccproxy.addons.seal import MASK, REQUEST_SECRETS, seal, unsealed


def request() -> http.Request:
    made = http.Request.make("POST", "http://example.com/", b"{}", http.Headers(Accept="*/*"))
    made.headers.add("X-Api-Key", "hush")
    made.headers.add("Cookie", "a=1")
    made.headers.add("anthropic-beta", "one")
    return made


def test_what_is_sealed_is_masked_and_remembered() -> None:
    sealed = request()
    assert seal(sealed, REQUEST_SECRETS) == [("X-Api-Key", "hush"), ("Cookie", "a=1")]
    assert sealed.headers["x-api-key"] == sealed.headers["cookie"] == MASK.decode()
    assert sealed.headers["anthropic-beta"] == "one"
    assert "hush" not in repr(sealed.get_state())


def test_the_wire_copy_has_the_secrets_and_the_original_does_not() -> None:
    sealed = request()
    seal(sealed, REQUEST_SECRETS)
    wire = unsealed(sealed, REQUEST_SECRETS, [("authorization", "Bearer real")])
    assert wire.headers["authorization"] == "Bearer real"
    assert "x-api-key" not in wire.headers
    assert "cookie" not in wire.headers
    assert wire.raw_content == b"{}"
    assert wire.path == sealed.path
    assert "real" not in repr(sealed.get_state())


def test_the_other_headers_keep_their_order_and_spelling() -> None:
    sealed = request()
    before = [name for name, _ in sealed.headers.fields if name.lower() not in REQUEST_SECRETS]
    seal(sealed, REQUEST_SECRETS)
    after = [name for name, _ in unsealed(sealed, REQUEST_SECRETS, []).headers.fields]
    assert after == before
