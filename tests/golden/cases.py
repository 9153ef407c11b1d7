"""The golden cases: an input per file, and beside it what it becomes in every other format.

`requests/<from>/<case>.json` is a client's request, `<case>.to-<target>.json` its translation: the body,
the labels of its losses and the renamed tools, or the field that it is refused for.
`streams/<from>/<case>.sse` is an upstream's stream, `<case>.to-<target>.sse` the client's. `scripts/golden`
writes what stands beside.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ccproxy.backends.models import Choice
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Wire
from ccproxy.conversation.request import Request
from ccproxy.formats.codec import AnswerTo, Names
from ccproxy.translation import CODECS, StreamTranslator, translate

HERE = Path(__file__).parent
MODELS: dict[Wire, str] = {"anthropic": "claude-opus-4-8", "chat": "gpt-5.5", "responses": "gpt-5.5"}
"""Which model answers in each format."""


@dataclass(frozen=True)
class Case:
    """One input and one target."""

    source: Wire
    target: Wire
    given: Path

    @property
    def expected(self) -> Path:
        return self.given.with_suffix(f".to-{self.target}{self.given.suffix}")

    @property
    def name(self) -> str:
        return f"{self.source}-{self.given.stem}-to-{self.target}"


def cases(kind: str, suffix: str) -> Iterator[Case]:
    """Every case of a kind, in order."""
    for source in CODECS:
        for given in sorted((HERE / kind / source).glob(f"*{suffix}")):
            if ".to-" not in given.name:
                yield from (Case(source, target, given) for target in CODECS if target != source)


def request_cases() -> list[Case]:
    return list(cases("requests", ".json"))


def stream_cases() -> list[Case]:
    return list(cases("streams", ".sse"))


def translated_request(case: Case) -> str:
    """What a request becomes, as text to compare and to read."""
    try:
        translation = translate(
            case.given.read_bytes(),
            case.source,
            case.target,
            lambda name: Choice(MODELS[case.target]),
            "golden",
            1_700_000_000,
            "reasoning_content",
        )
    except RequestError as refused:
        outcome: dict[str, object] = {"refused": {"path": refused.path, "why": str(refused)}}
    else:
        outcome = {
            "body": json.loads(translation.body),
            "losses": [loss.label for loss in translation.losses],
            "names": dict(translation.names.original),
            "custom": sorted(translation.names.custom),
        }
    return json.dumps(outcome, indent=1, ensure_ascii=False) + "\n"


def translated_stream(case: Case) -> bytes:
    """What an upstream's stream becomes for a client that asked for the usage, too."""
    asked = translate_nothing(case.target)
    translator = StreamTranslator(
        CODECS[case.source].stream_decoder(Names()),
        CODECS[case.target].stream_encoder(AnswerTo("the-clients-name", "golden", 1_700_000_000, asked)),
    )
    return b"".join([*translator.feed(case.given.read_bytes()), *translator.end()])


def translate_nothing(wire: Wire) -> Request:
    """The smallest request of a client that wants a stream."""
    body: dict[str, object] = {"model": "the-clients-name", "stream": True}
    match wire:
        case "anthropic":
            body |= {"max_tokens": 1000, "messages": [{"role": "user", "content": "x"}]}
        case "chat":
            body |= {
                "messages": [{"role": "user", "content": "x"}],
                "stream_options": {"include_usage": True},
            }
        case "responses":
            body |= {"input": "x"}
    return CODECS[wire].decode_request(body).request
