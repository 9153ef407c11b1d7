"""Filters of our own for mitmproxy's expressions: `~model`, `~tool` and `~tokens`.

mitmproxy has no way to register a filter: its lists are extended and its parser is built again.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from weakref import WeakKeyDictionary

from mitmproxy import ctx, exceptions, flow, flowfilter, http
from mitmproxy.addonmanager import Loader

from ccproxy.addons.exchanges import exchange_of
from ccproxy.inspector.facts import Facts, answer_facts, frame_facts, request_facts

logger = logging.getLogger(__name__)

AT_START = "ccproxy_filters"
"""The option for filters from the start on: those of the tools are read before any script is loaded."""


class FModel(flowfilter._Rex):
    """A model that was asked for, or that answered."""

    code = "model"
    help = "Model, asked for or served"
    is_binary = False

    def __call__(self, f: flow.Flow) -> bool:
        return any(map(self.re.search, facts_of(f).models))


class FTool(flowfilter._Rex):
    """A tool that the model calls. What a request only offers does not count."""

    code = "tool"
    help = "Tool called in the answer"
    is_binary = False

    def __call__(self, f: flow.Flow) -> bool:
        return any(map(self.re.search, facts_of(f).tools))


class FTokens(flowfilter._Int):
    """Tokens of prompt, cache included, and answer, as far as they are known."""

    code = "tokens"
    help = "At least so many tokens, in and out"

    def __call__(self, f: flow.Flow) -> bool:
        return facts_of(f).tokens >= self.num


class Filters:
    """Puts them into mitmproxy's parser, and takes them out when our addons are unloaded."""

    name = "ccproxy_filters"

    def __init__(self) -> None:
        self.undo: Callable[[], None] | None = None

    def load(self, loader: Loader) -> None:
        told = "Filters that may use ~model, ~tool and ~tokens, as OPTION=EXPRESSION: intercept=~tool Bash"
        loader.add_option(AT_START, Sequence[str], [], told)
        try:
            self.undo = extend()
        except (AttributeError, TypeError) as problem:
            logger.warning("Filters ~model, ~tool and ~tokens are missing in this mitmproxy: %s", problem)

    def configure(self, updated: set[str]) -> None:
        if AT_START in updated:
            chosen = dict(one.partition("=")[::2] for one in getattr(ctx.options, AT_START))
            if unknown := chosen.keys() - ctx.options.keys():
                raise exceptions.OptionsError(f"{AT_START}: this tool has no option {unknown.pop()}.")
            ctx.options.update(**chosen)

    def done(self) -> None:
        if self.undo:
            self.undo()
            self.undo = None


def extend() -> Callable[[], None]:
    """Make mitmproxy understand them; what is returned puts everything back as it was."""
    known = (flowfilter.filter_rex, flowfilter.filter_int, flowfilter.bnf, flowfilter.help)
    texts, numbers, _, told = known

    def put(*values: object) -> None:
        flowfilter.filter_rex, flowfilter.filter_int, flowfilter.bnf, flowfilter.help = values  # type: ignore[assignment]

    ours = [(f"~{one.code} regex", one.help) for one in (FModel, FTool)]
    ours.append((f"~{FTokens.code} int", FTokens.help))
    try:
        put([*texts, FModel, FTool], [*numbers, FTokens], known[2], [*ours, *told])
        flowfilter.bnf = flowfilter._make()
        for expression in ("~model x", "~tool x", "~tokens 1"):
            flowfilter.parse(expression)
    except Exception:
        put(*known)
        raise
    return lambda: put(*known)


_facts: WeakKeyDictionary[http.HTTPFlow, tuple[bytes | None, bytes | None, Facts]] = WeakKeyDictionary()
"""The bodies that were read last, and what they say: a filter is asked at every change of a list."""


def facts_of(f: flow.Flow) -> Facts:
    """What is known of a flow by now, from its bodies and from its exchange."""
    if not isinstance(f, http.HTTPFlow):
        return Facts()
    return exchange_facts(f) + (frames_facts(f) if f.websocket else body_facts(f))


def exchange_facts(f: http.HTTPFlow) -> Facts:
    """What the proxy itself has noted. Tokens are counted off the bodies, if there are any."""
    exchange = exchange_of(f)
    if exchange is None:
        return Facts()
    names = (exchange.model_requested, exchange.model_sent, exchange.model_served)
    usage = exchange.usage
    kept = f.websocket or (f.response and f.response.raw_content)
    return Facts(
        tuple(name for name in names if name), (), 0 if kept else (usage.input or 0) + (usage.output or 0)
    )


def body_facts(f: http.HTTPFlow) -> Facts:
    asked, answered = f.request.raw_content, f.response.raw_content if f.response else None
    if (known := _facts.get(f)) and known[0] is asked and known[1] is answered:
        return known[2]
    facts = request_facts(f.request.get_content(strict=False) or b"") if asked else Facts()
    if answered and f.response:
        facts += answer_facts(f.request.path, f.response.get_content(strict=False) or b"")
    _facts[f] = asked, answered, facts
    return facts


def frames_facts(f: http.HTTPFlow) -> Facts:
    """Of an open WebSocket the newest frame, so that each is judged by itself; of a closed one all."""

    def frames() -> Iterator[bytes]:
        if f.websocket and f.websocket.messages:
            over = f.websocket.timestamp_end is not None
            for message in f.websocket.messages if over else f.websocket.messages[-1:]:
                yield message.content

    return sum(map(frame_facts, frames()), Facts())
