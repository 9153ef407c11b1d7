"""WebSocket upgrades on our own address: relayed to a backend's socket, or bridged to HTTP, or refused."""

from mitmproxy import http

from ccproxy.addons.exchanges import drop_ours
from ccproxy.addons.seal import REQUEST_SECRETS
from ccproxy.backends.target import Target
from ccproxy.exchange import Exchange
from ccproxy.local.socket import bridge_headers

_OF_THE_SOCKET = ("sec-websocket-", "sec-fetch-", "content-", "x-ccproxy-")
_OF_THE_CONNECTION = frozenset(
    ("host", "origin", "connection", "keep-alive", "upgrade", "cookie", "proxy-authorization")
)
_SECRETS = frozenset(name.decode() for name in REQUEST_SECRETS)


def wants_socket(request: http.Request) -> bool:
    """Whether a request asks for a WebSocket (RFC 6455, 4.1)."""
    return bool(request.headers.get("upgrade", "").lower() == "websocket")


def keep_upgrade(headers: http.Headers) -> None:
    """Ask for the upgrade again, after what was between the client and us has been taken off."""
    headers["connection"] = "Upgrade"
    headers["upgrade"] = "websocket"


def bridge(flow: http.HTTPFlow, exchange: Exchange, path: str, token: str | None) -> None:
    """Tell the local app which of our own routes answers for the socket, and as whom it asks there.

    The client's headers go along because that route has to know it; they hold its credential, so they are
    attached at the wire and never stand in the flow. The gate has let the client in already and taken our
    own `token` off: the app shows it again, beside whatever credential the client has for the provider.
    """
    host, port = flow.client_conn.sockname[:2]
    url = Target("http", "127.0.0.1" if host in ("0.0.0.0", "") else host, port, "").origin + path  # noqa: S104
    headers = flow.request.headers
    drop_ours(headers)
    shown = [header for header in headers.items(multi=True) if header[0].lower() not in _SECRETS]
    told = [header for header in (*shown, *exchange.received) if is_about_the_turn(*header)]
    if token:
        told.append(("proxy-authorization", f"Bearer {token}"))
    exchange.bridge = list(bridge_headers(url, told).items())


def is_about_the_turn(name: str, value: str) -> bool:
    """Whether a header belongs to what is asked, and not to the socket; other bytes than ASCII do not."""
    name = name.lower()
    return name not in _OF_THE_CONNECTION and not name.startswith(_OF_THE_SOCKET) and value.isascii()
