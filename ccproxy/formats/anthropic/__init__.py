"""Anthropic Messages (Messages API reference, read 2026-11-22)."""

from ccproxy.formats.anthropic.decode_request import decode_request
from ccproxy.formats.anthropic.encode_request import encode_request
from ccproxy.formats.anthropic.reply import decode_reply, encode_reply
from ccproxy.formats.anthropic.stream_decoder import stream_decoder
from ccproxy.formats.anthropic.stream_encoder import stream_encoder
from ccproxy.formats.anthropic.upstream_errors import decode_error, encode_error

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
