"""Whole answers: what a stream would have told, told at once (API reference, read 2026-11-22)."""

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.reply import Collector, Reply, replay
from ccproxy.formats.codec import AnswerTo, Names
from ccproxy.formats.responses.stream_decoder import ResponsesStreamDecoder
from ccproxy.formats.responses.stream_encoder import ResponsesStreamEncoder
from ccproxy.formats.responses.upstream_errors import failure

_UNFINISHED = ("queued", "in_progress")


def decode_reply(body: JsonObject, names: Names) -> Reply | Failed:
    """A response object, read as the last event of a stream that told nothing before."""
    error = body.get("error")
    if isinstance(error, dict):
        return failure(error)
    if body.get("status") in _UNFINISHED or not isinstance(body.get("output"), list):
        return Failed("api_error", "The upstream's answer is no finished response.")
    collector = Collector()
    for event in ResponsesStreamDecoder(names).take("response.completed", {"response": body}):
        collector.take(event)
    return collector.reply or collector.failure or Failed("api_error", "The upstream gave no answer.")


def encode_reply(reply: Reply, to: AnswerTo) -> JsonObject:
    """The response object with which the stream of the same reply would end."""
    encoder = ResponsesStreamEncoder(to)
    for event in replay(reply):
        encoder.feed(event)
    return encoder.response
