"""The inspector: shows what a flow says. It does something only where somebody looks at flows."""

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from ccproxy.addons.notes import Notes

BODIES_SHOWN = 3
"""The `flow_detail` of mitmdump from which it prints bodies."""


class Inspector:
    """Registers the views and takes notes, unless this is a program without eyes: a plain `ccproxy serve`."""

    name = "ccproxy_inspector"

    def __init__(self) -> None:
        self.addons: list[Notes] = []

    def load(self, loader: Loader) -> None:
        if {"view", "dumper"} & ctx.master.addons.lookup.keys():
            # here, because a program without eyes should not have to load them
            from mitmproxy import contentviews

            from ccproxy.addons.views import Conversation, Timing

            contentviews.add(Conversation())
            contentviews.add(Timing())
            self.addons.append(Notes())

    def running(self) -> None:
        """mitmdump prints bodies without keeping flows, so that nobody else has kept those of streams."""
        if "dumper" in ctx.master.addons.lookup and ctx.options.flow_detail >= BODIES_SHOWN:
            ctx.options.update(store_streamed_bodies=True)
