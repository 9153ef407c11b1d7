from mitmproxy import http

from ccproxy.addons.responder import finish_headers
from ccproxy.exchange import Exchange


def response(headers: http.Headers, content: bytes = b"") -> http.Response:
    return http.Response.make(200, content, headers)


def test_what_we_add_on_our_own_address() -> None:
    exchange = Exchange("reverse", "GET", "/", admitted=True)
    made = response(http.Headers(anthropic_organization_id="o", vary="accept"))
    finish_headers(made, exchange)
    assert made.headers["x-ccproxy-request-id"] == exchange.id
    assert made.headers["anthropic-organization-id"] == "o"
    assert "access-control-allow-origin" not in made.headers


def test_an_allowed_page_may_read_the_answer() -> None:
    made = response(http.Headers(vary="accept"))
    finish_headers(made, Exchange("reverse", "GET", "/", origin="https://app.example"))
    assert made.headers["access-control-allow-origin"] == "https://app.example"
    assert made.headers.get_all("vary") == ["accept", "origin"]
