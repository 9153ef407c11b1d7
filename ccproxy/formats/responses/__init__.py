"""OpenAI Responses (API reference, read 2026-11-22)."""

from ccproxy.formats.responses.decode_request import decode_request
from ccproxy.formats.responses.encode_request import encode_request
from ccproxy.formats.responses.reply import decode_reply, encode_reply
from ccproxy.formats.responses.stream_decoder import ResponsesStreamDecoder as stream_decoder
from ccproxy.formats.responses.stream_encoder import ResponsesStreamEncoder as stream_encoder
from ccproxy.formats.responses.upstream_errors import decode_error, encode_error

__all__ = [
    "decode_error",
    "decode_reply",
    "decode_request",
    "encode_error",
    "encode_reply",
    "encode_request",
    "stream_decoder",
    "stream_encoder",
]
