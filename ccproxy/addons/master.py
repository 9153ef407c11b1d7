"""The masters that `ccproxy serve` runs on."""

from collections.abc import Callable
from typing import Any

from mitmproxy import options as mitmproxy_options
from mitmproxy.addons import core, errorcheck, next_layer, proxyserver, tlsconfig
from mitmproxy.master import Master

from ccproxy.addons.chain import make_chain
from ccproxy.addons.dispatch import LeanAddons
from ccproxy.addons.listeners import free_or_any, options
from ccproxy.settings import Settings

WEB_PORT = 8081
"""mitmweb's usual port; a free one is taken when it is in use."""

WEB_COLUMNS = ["tls", "icon", "path", "status", "size", "time", "comment"]
"""mitmweb's own, but the comment (model, tokens, what went wrong) in the place of the method."""

Ready = Callable[[Master], object]
Chain = Callable[[Settings], list[Any]]


class LeanMaster(Master):
    """mitmproxy with what a proxy needs, and none of the forty addons that would do nothing.

    Create it inside a running loop. `ready` is called once the listeners are bound.
    """

    def __init__(self, settings: Settings, modes: list[str], ready: Ready, chain: Chain = make_chain) -> None:
        super().__init__(mitmproxy_options.Options(mode=modes, listen_host=settings.server.host))
        # nobody in the chain asks for log lines as events, which cost a turn of the loop each
        self._legacy_log_events.uninstall()
        self.addons = LeanAddons(self)
        self.addons.add(
            core.Core(),
            proxyserver.Proxyserver(),
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            errorcheck.ErrorCheck(),
            *chain(settings),
            _Announcer(self, ready),
        )
        self.options.update(**options(settings))


def web_master(settings: Settings, modes: list[str], ready: Ready, chain: Chain = make_chain) -> Master:
    """The same chain inside mitmweb."""
    from mitmproxy.tools.web.master import WebMaster

    master = WebMaster(
        mitmproxy_options.Options(mode=modes, listen_host=settings.server.host), with_termlog=False
    )
    master.addons.add(*chain(settings), _Announcer(master, ready))
    chosen: dict[str, Any] = {
        "web_open_browser": False,
        "web_columns": WEB_COLUMNS,
        # mitmweb prints the port that it was given: 0 would lead nowhere
        "web_port": free_or_any(WEB_PORT),
    }
    master.options.update(**options(settings), **chosen)
    return master


class _Announcer:
    """Says that everything runs."""

    name = "ccproxy_announcer"

    def __init__(self, master: Master, ready: Ready) -> None:
        self.master = master
        self.ready = ready

    def running(self) -> None:
        self.ready(self.master)
