"""OpenAI Chat Completions (API reference, read 2026-11-22)."""

from ccproxy.formats.chat.decode_request import decode_request
from ccproxy.formats.chat.encode_request import encode_request
from ccproxy.formats.chat.reply import decode_reply, encode_reply
from ccproxy.formats.chat.stream_decoder import StreamDecoder as stream_decoder
from ccproxy.formats.chat.stream_encoder import StreamEncoder as stream_encoder
from ccproxy.formats.chat.upstream_errors import decode_error, encode_error

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
