"""A request on its way from one format to another, and its answer on the way back.

Pure: bytes in, bytes out. The addons decide when, the codecs know how.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from ccproxy.backends.models import Choice, facts
from ccproxy.conversation.events import Event, Failed, Finished, Ping
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.reply import Collector, Reply, replay
from ccproxy.conversation.request import Request
from ccproxy.formats import anthropic, chat, responses
from ccproxy.formats.codec import AnswerTo, Codec, Names, ReasoningShown, StreamDecoder, StreamEncoder
from ccproxy.formats.sse import Reader, ServerSentEvent

CODECS: dict[Wire, Codec] = {"anthropic": anthropic, "chat": chat, "responses": responses}

Amend = Callable[[Request], Request]


@dataclass(frozen=True, slots=True)
class Translation:
    """What has become of a request: the body for the upstream, and what its answer needs.

    `losses` are in the order in which they were met.
    """

    client: Wire
    upstream: Wire
    body: bytes
    losses: tuple[Loss, ...]
    names: Names
    to: AnswerTo
    model: str

    def stream(
        self,
        whole: Callable[[Reply], None] | None = None,
        watch: Callable[[ServerSentEvent], None] | None = None,
    ) -> "StreamTranslator":
        """For an upstream's stream to a client that reads one.

        `whole` gets the reply at its end, `watch` each event of the upstream's as it was.
        """
        decoder, encoder = (
            CODECS[self.upstream].stream_decoder(self.names),
            CODECS[self.client].stream_encoder(self.to),
        )
        return StreamTranslator(decoder, encoder, whole, watch)

    def collect(self, stream: bytes) -> Reply | Failed:
        """An upstream's whole stream as a reply."""
        collector, decoder, reader = Collector(), CODECS[self.upstream].stream_decoder(self.names), Reader()
        for server_sent in reader.feed(stream):
            for event in decoder.feed(server_sent):
                collector.take(event)
        for event in decoder.end():
            collector.take(event)
        return collector.reply or collector.failure or Failed("api_error", "The upstream gave no answer.")

    def reply(self, body: bytes) -> Reply | Failed:
        """An upstream's JSON answer."""
        try:
            value = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            value = None
        if not isinstance(value, dict):
            return Failed("api_error", "The upstream answered with something that is not a JSON object.")
        return CODECS[self.upstream].decode_reply(value, self.names)

    def encode(self, reply: Reply) -> bytes:
        """The reply as the JSON that the client reads."""
        return msgspec.json.encode(CODECS[self.client].encode_reply(reply, self.to))

    def encode_as_stream(self, reply: Reply) -> bytes:
        """The reply as the stream that the client reads."""
        encoder = CODECS[self.client].stream_encoder(self.to)
        return b"".join(encoder.feed(event) for event in replay(reply))

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> Failed:
        """An upstream's error answer."""
        return CODECS[self.upstream].decode_error(status, headers, body)

    def encode_failure(self, failed: Failed, request_id: str) -> bytes:
        """An error as the JSON that the client reads."""
        return CODECS[self.client].encode_error(failed, request_id)


class StreamTranslator:
    """Bytes of the upstream's stream in, bytes of the client's out, each event as soon as it is whole."""

    def __init__(
        self,
        decoder: StreamDecoder,
        encoder: StreamEncoder,
        whole: Callable[[Reply], None] | None = None,
        watch: Callable[[ServerSentEvent], None] | None = None,
    ) -> None:
        self._watch = watch
        self._collector = Collector() if whole else None
        self._whole = whole
        self._reader = Reader()
        self._decoder = decoder
        self._encoder = encoder
        self._ended = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """What there is to send now; never an empty piece."""
        return self._encode(event for one in self._read(chunk) for event in self._decoder.feed(one))

    def end(self) -> list[bytes]:
        """The upstream's stream has ended, well or not."""
        return self._encode(self._decoder.end())

    def fail(self, failed: Failed) -> list[bytes]:
        """End the client's stream with an error, unless it has ended."""
        return self._encode([failed])

    def ping(self) -> list[bytes]:
        """A sign of life."""
        return self._encode([Ping()])

    def _read(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        for server_sent in self._reader.feed(chunk):
            if self._watch:
                self._watch(server_sent)
            yield server_sent

    def _encode(self, events: Iterable[Event]) -> list[bytes]:
        pieces = []
        for event in events:
            if self._ended:
                break
            pieces.append(self._encoder.feed(event))
            self._ended = isinstance(event, (Finished, Failed))
            if self._collector and self._whole:
                self._collector.take(event)
                if self._collector.reply:
                    self._whole(self._collector.reply)
        return [piece for piece in pieces if piece]


def parse(body: bytes) -> JsonObject:
    """A request body as a JSON object. Raises RequestError when it is none."""
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        raise RequestError("", "The request body is nested too deeply.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise RequestError("", f"The request body is not a JSON object: {problem}.") from None
    if not isinstance(value, dict):
        raise RequestError("", "The request body is not a JSON object.")
    return value


def translate(
    body: bytes,
    client: Wire,
    upstream: Wire,
    choose: Callable[[str], Choice],
    answer_id: str,
    now: int,
    shown: ReasoningShown,
    amend: Amend = lambda request: request,
) -> Translation:
    """From the client's format into the upstream's.

    `choose` says which model answers, `amend` may put back what the client could not carry. Raises
    RequestError for what is wrong or must not be dropped.
    """
    decoded = CODECS[client].decode_request(parse(body))
    request = amend(decoded.request)
    asked = request.model
    choice = choose(asked)
    if choice.effort:
        thinking = replace(request.params.thinking, effort=choice.effort)
        request = replace(request, params=replace(request.params, thinking=thinking))
    encoded = CODECS[upstream].encode_request(replace(request, model=choice.model), facts(choice.model))
    return Translation(
        client,
        upstream,
        msgspec.json.encode(encoded.body),
        (*decoded.losses, *encoded.losses),
        encoded.names,
        AnswerTo(asked, answer_id, now, request, shown),
        choice.model,
    )
