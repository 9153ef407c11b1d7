"""What the proxy made of a request and its answer: both sides as conversations, and what differs.

The formats have no fields in common, but the same conversation reads the same in each of them, so that is
what is compared.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from ccproxy.client_side import ClientSide
from ccproxy.conversation.parts import Wire
from ccproxy.exchange import Exchange
from ccproxy.inspector.conversation import conversation_text
from ccproxy.inspector.differences import differences
from ccproxy.inspector.layout import (
    LONG,
    Lines,
    apart,
    as_object,
    items,
    mapping,
    section,
    shown,
    sparse,
    string,
)

CHANGES = "ccproxy_changes"
"""The key of what was changed: `formats` (the client's and the upstream's), `differs` (which of the bodies
below there are, kept or not), `losses` (path, what, why), `failure` (an error of ours), `sent`, `broke`
(the answer was under way then) and `agent` (Claude Code answers)."""

SAID, HEARD, UPSTREAM = "ccproxy_said", "ccproxy_heard", "ccproxy_upstream"
"""The keys of bodies that the flow itself does not hold: what the client said and heard, and what the
upstream answered."""

UNCHANGED_REQUEST = "Nothing was changed: the upstream got what the client sent."
UNCHANGED_ANSWER = "Nothing was changed: the client got what the upstream answered."
SAME = "As conversations they are the same; the bodies differ in what is not shown of them."
SAME_BELOW = "Below that they read the same."
NOT_KEPT = "is not kept (any more), so there is nothing to compare."


KEYS = (CHANGES, SAID, HEARD, UPSTREAM)


def changes(
    exchange: Exchange, side: ClientSide, sent: bytes, answered: bytes | None, broke: bool = False
) -> dict[str, Any]:
    """Metadata for a flow that holds the bodies `sent` and `answered`; none when nothing was changed."""
    kept: dict[str, Any] = {}
    differs: list[str] = []
    if side.said != sent:
        kept[SAID] = side.said
    if side.upstream is not None:
        kept[UPSTREAM] = side.upstream
    elif side.cut:
        differs = [HEARD]
    elif answered is not None and side.answer != answered:
        kept[HEARD] = side.answer
    elif side.answer and is_rewritten(exchange) and side.heard[1:]:
        # mitmproxy itself has kept the stream, as the client got it
        differs = [UPSTREAM]
    differs += kept
    failure = exchange.failure.code if exchange.failure else ""
    agent = exchange.backend == "sdk"
    if not (differs or exchange.losses or failure or agent):
        return {}
    kept[CHANGES] = {
        "formats": [exchange.client_format, exchange.upstream_format or exchange.client_format],
        "differs": differs,
        "losses": [[loss.path, loss.note or "left out", loss.why] for loss in exchange.losses],
        "failure": failure,
        "sent": exchange.sent is not None,
        "broke": broke,
        "agent": agent,
    }
    return kept


def is_rewritten(exchange: Exchange) -> bool:
    """Whether the events of a stream are others for the client."""
    translated = exchange.upstream_format not in (None, exchange.client_format)
    return translated or exchange.fitted or exchange.renamed


def request_translation(noted: Mapping[str, Any], sent: bytes, host: str) -> str:
    """What became of a request: `noted` is the metadata of its flow, `sent` went to `host`."""
    facts = mapping(noted.get(CHANGES))
    said = noted.get(SAID) if SAID in items(facts.get("differs")) else sent
    agent = bool(facts.get("agent"))
    note = ["Claude Code asks Anthropic with requests of its own, of which this one is a part."]
    heads, told = _requests(said, sent, "Claude Code" if agent else host, facts)
    # the losses first: what differs may be long
    losses = _losses(items(facts.get("losses")), said)
    return "\n".join(apart([heads, note if agent else [], losses, told]))


def answer_translation(noted: Mapping[str, Any], held: bytes) -> str:
    """What became of an answer, of which the flow holds one side: `held`."""
    facts = mapping(noted.get(CHANGES))
    failure = string(facts.get("failure"))
    if failure and not facts.get("broke"):
        return f"The answer is ccproxy's own: {failure}."
    end = [f"Then ccproxy ended it with an error of its own: {failure}."] if failure else []
    return "\n".join(apart([_answers(noted, facts, held), end]))


def _answers(noted: Mapping[str, Any], facts: Mapping[str, Any], held: bytes) -> Lines | Sequence[str]:
    differs, (client, upstream) = items(facts.get("differs")), _formats(facts)
    if not differs or differs == [SAID]:
        return [UNCHANGED_ANSWER]
    said = noted.get(UPSTREAM) if UPSTREAM in differs else held
    heard = noted.get(HEARD) if HEARD in differs else held
    if not isinstance(said, bytes):
        return [f"What the upstream answered {NOT_KEPT}"]
    if not isinstance(heard, bytes):
        return [f"What the client got {NOT_KEPT}"]
    before, after = _rendered(upstream, answer=said), _rendered(client, answer=heard)
    return apart(_compared(before, after, "Upstream answered  ", "Client got         "))


def _requests(said: object, sent: bytes, to: str, facts: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What each side is, and what differs."""
    if facts and not facts.get("sent"):
        failure = string(facts.get("failure"))
        return [f"Nothing was sent: ccproxy refused it ({failure})." if failure else "Nothing was sent."], []
    if not isinstance(said, bytes):
        return [f"What the client sent {NOT_KEPT}"], []
    if said == sent:
        return [UNCHANGED_REQUEST], []
    client, upstream = _formats(facts)
    before, after = _rendered(client, request=said), _rendered(upstream, request=sent)
    return _compared(before, after, "Client sent   ", "Upstream got  ", f", at {to}")


def _compared(
    before: Sequence[str], after: Sequence[str], one: str, other: str, place: str = ""
) -> tuple[list[str], list[str]]:
    """What each side is, and what differs."""
    told = list(differences(before[2:], after[2:])) or [SAME if before[0] == after[0] else SAME_BELOW]
    return [one + before[0], other + after[0] + place], told


def _losses(losses: Sequence[object], said: object) -> Lines | Sequence[str]:
    body = as_object(said) if isinstance(said, bytes) else None
    lines = [line for loss in losses for line in _loss(loss, body)]
    return section("Lost", lines) if lines else []


def _loss(loss: object, body: object) -> Lines:
    match loss:
        case [str(path), str(what), str(why)]:
            name = path.rpartition(".")[2]
            # below its name: that may say that it is a credential
            found = mapping(sparse({name: _at(body, path)}))[name]
            value = shown(found) if found is not None else ""
            yield f"{path}, {what}" + (f": {value}" if value and len(value) <= LONG else "")
            yield f"  {why}"


def _at(value: Any, path: str) -> Any:
    """What stands at a path (`messages.2.content.0`) in a body; None when nothing does."""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if name.isdecimal() and int(name) < len(value) else None
        else:
            value = mapping(value).get(name)
    return value


def _formats(facts: Mapping[str, Any]) -> tuple[Wire | None, Wire | None]:
    client, upstream = (*items(facts.get("formats")), None, None)[:2]
    return wire_named(client), wire_named(upstream)


def wire_named(name: object) -> Wire | None:
    """The format of this name, None for any other name."""
    return next((wire for wire in get_args(Wire) if wire == name), None)


def _rendered(wire: Wire | None, request: bytes | None = None, answer: bytes | None = None) -> list[str]:
    """A side as lines, of which the first says what it is and the second is empty."""
    body = request or answer or b""
    text = conversation_text(wire, request, answer) if wire else body.decode("utf-8", "replace")
    lines = text.split("\n")
    return lines if wire and lines[1:2] == [""] else [f"{len(body)} bytes", "", *lines]
