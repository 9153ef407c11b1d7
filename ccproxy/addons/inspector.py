"""The inspector: shows what a flow says. It does something only where somebody looks at flows."""

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from ccproxy.addons.notes import Notes
from ccproxy.addons.stopping import Stopping


class Inspector:
    """Registers the views and takes notes, unless this is a program without eyes: a plain `ccproxy serve`."""

    name = "ccproxy_inspector"

    def __init__(self) -> None:
        self.addons: list[object] = []
        self.stopping = Stopping()

    def load(self, loader: Loader) -> None:
        if {"view", "dumper"} & ctx.master.addons.lookup.keys():
            # here, because a program without eyes should not have to load them
            from mitmproxy import contentviews

            from ccproxy.addons.export import Export
            from ccproxy.addons.filters import Filters
            from ccproxy.addons.views import Conversation, Prompt, Timing, Translation

            contentviews.add(Conversation())
            contentviews.add(Translation())
            contentviews.add(Timing())
            contentviews.add(Prompt())
            self.addons += [Notes(), Filters(), Export()]
            # behind the tool's own Intercept, and behind the View that tells a person of it
            ctx.master.addons.add(self.stopping)

    def done(self) -> None:
        if ctx.master.addons.get(self.stopping.name):
            ctx.master.addons.remove(self.stopping)
