"""The listeners: sets mitmproxy's options so that it is our proxy, whichever tool it runs in."""

import logging
import re
import socket
from collections.abc import Callable, Iterable

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.mode_specs import ProxyMode, RegularMode, ReverseMode
from starlette.types import ASGIApp

from ccproxy.addons.layer import Layers
from ccproxy.addons.stream import Limits
from ccproxy.inspector.hiding import plain_url
from ccproxy.local.server import LocalServer
from ccproxy.redact import Redact
from ccproxy.retries import Patience
from ccproxy.settings import Settings
from ccproxy.settings.kinds import is_loopback

logger = logging.getLogger(__name__)

PLACEHOLDER = "ccproxy.invalid"
"""The reverse listener's upstream in name only; the router names the real one. Never resolves (RFC 6761)."""

CLEAR_OF_IDLE = 60
"""Seconds by which mitmproxy's own idle limit for connections lies behind ours."""


class Listeners:
    """Both listeners on loopback, lazy connections, and the local app behind them."""

    name = "ccproxy_listeners"

    def __init__(self, settings: Settings, server: LocalServer, app: Callable[[], ASGIApp]) -> None:
        self.settings = settings
        self.server = server
        self.app = app
        self.redact = Redact()
        retries = settings.retries
        self.layers = Layers(
            Limits(
                settings.server.body_limit,
                retries.idle_timeout_seconds,
                retries.keepalive_seconds,
                Patience(retries.attempts, retries.max_wait_seconds),
            )
        )

    def load(self, loader: Loader) -> None:
        # at the end of the chain, because it corrects what mitmproxy's NextLayer has decided
        ctx.master.addons.add(self.layers)
        logging.getLogger("mitmproxy.proxy.server").addFilter(self.redact)
        logging.getLogger("tornado.access").addFilter(without_query)

    def running(self) -> None:
        self.server.start(self.app())
        ctx.options.update(**options(self.settings, own_reverse_hosts()))
        # a mode that a script sets while it is loaded is stored but never bound; from here on it is
        if uses_default_listener():
            modes, notice = listener_modes(self.settings, proxy_port_given=False)
            if notice:
                logger.warning(notice)
            ctx.options.update(listen_host=self.settings.server.host, mode=modes)
        elif not ctx.options.listen_host:
            modes = [with_port(ProxyMode.parse(mode)) for mode in ctx.options.mode]
            ctx.options.update(listen_host=self.settings.server.host, mode=modes)
        if problem := unguarded(guarded=self.settings.security.auth_token is not None):
            # at its start the tool exits with 1 because of this log entry; the gate holds until then
            logger.error(problem)
            ctx.master.event_loop.call_later(0.5, ctx.master.shutdown)

    def done(self) -> None:
        ctx.master.addons.remove(self.layers)
        logging.getLogger("mitmproxy.proxy.server").removeFilter(self.redact)
        logging.getLogger("tornado.access").removeFilter(without_query)
        self.server.stop()


def without_query(record: logging.LogRecord) -> bool:
    """A log filter for the server of mitmweb's page, whose addresses have the token that opens it."""
    record.msg, record.args = plain_url(record.getMessage()), ()
    return True


def options(settings: Settings, more: Iterable[str] = ()) -> dict[str, object]:
    """mitmproxy's options that hold in every tool; `more` are hosts to read besides the settings' own."""
    hosts = [f"^{re.escape(host)}:" for host in (PLACEHOLDER, *settings.intercept.hosts, *more)]
    return {
        "connection_strategy": "lazy",
        "keep_host_header": True,
        "allow_hosts": hosts,
        # nothing under way meets it: our clock ticks, and the local app pings the sockets that it bridges
        "tcp_timeout": int(max(600, settings.retries.idle_timeout_seconds + CLEAR_OF_IDLE)),
    }


def uses_default_listener() -> bool:
    """Whether the user of a stock tool has left the listener to us.

    `--listen-port 0` leaves it to us, too: it only lets the tool start where 8080 is taken.
    """
    chosen = ctx.options
    return chosen.mode == ["regular"] and not chosen.listen_host and not chosen.listen_port


def with_port(mode: ProxyMode) -> str:
    """A mode that names its port itself: a new specification, so that mitmproxy binds it anew."""
    port = mode.listen_port(ctx.options.listen_port)
    return mode.full_spec if mode.custom_listen_host else f"{mode.full_spec.partition('@')[0]}@{port}"


def unguarded(*, guarded: bool) -> str:
    """What is wrong with listeners of the user's own choice, if anything."""
    for mode in map(ProxyMode.parse, ctx.options.mode):
        host = mode.listen_host(ctx.options.listen_host)
        if guarded and not isinstance(mode, (RegularMode, ReverseMode)):
            return (
                f"security.auth_token cannot be asked for in mode {mode.type_name}: leave one of the two out."
            )
        if not guarded and not is_loopback(host):
            return (
                f"Other machines can reach {host or 'this one on every address'}: "
                "set security.auth_token (ccproxy generate-token --save)."
            )
    return ""


def own_reverse_hosts() -> list[str]:
    """The targets of reverse listeners that the user has chosen; we route their requests all the same."""
    modes = map(ProxyMode.parse, ctx.options.mode)
    return [mode.address[0] for mode in modes if isinstance(mode, ReverseMode)]


def listener_modes(settings: Settings, *, proxy_port_given: bool) -> tuple[list[str], str]:
    """The modes to bind on `server.host`, and a notice when the regular listener has to be left out."""
    server = settings.server
    # a capital: when the only mode begins with "reverse:", mitmproxy gives its host to flows that it loads
    modes = [f"Reverse:http://{PLACEHOLDER}@{server.port}"]
    if not server.proxy_port:
        return modes, ""
    if not proxy_port_given and not is_free(server.host, server.proxy_port):
        return (
            modes,
            f"Port {server.proxy_port} is in use: no HTTPS_PROXY listener. Another: server.proxy_port.",
        )
    return [*modes, f"regular@{server.proxy_port}"], ""


def is_free(host: str, port: int) -> bool:
    """Whether a port can be bound right now."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError:
        return False
    return True


def free_or_any(port: int) -> int:
    """A port of loopback: this one, or another when somebody has it; 0 stands for any."""
    if port and is_free("127.0.0.1", port):
        return port
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
