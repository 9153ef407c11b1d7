"""Compressed request bodies, as the real upstreams take them: gzip, deflate, br, zstd."""

import zlib
from typing import Any

import brotli
import zstandard


class EncodingError(Exception):
    """A body that cannot be decoded."""


class UnsupportedEncoding(EncodingError):
    """A content-encoding that is not known."""


class InvalidEncoding(EncodingError):
    """A body that is not what its content-encoding says, or ends too early."""


class DecodedTooLarge(EncodingError):
    """A body that grows beyond the limit when decoded."""


def decode(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """`body` without its content-encodings (comma list, last applied first); at most `limit` bytes."""
    codings = [coding.strip().lower() for coding in (content_encoding or "").split(",") if coding.strip()]
    for coding in reversed(codings):
        match coding:
            case "identity":
                continue
            case "gzip" | "x-gzip":
                body = _zlib(body, 31, limit)
            case "deflate":
                body = _zlib(body, 15, limit)
            case "br":
                body = _brotli(body, limit)
            case "zstd":
                body = _zstd(body, limit)
            case _:
                raise UnsupportedEncoding(coding)
    return body


def _zlib(body: bytes, wbits: int, limit: int) -> bytes:
    decoder = zlib.decompressobj(wbits)
    try:
        decoded = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidEncoding(str(error)) from None
    return _checked(decoded, decoder.eof, limit)


def _brotli(body: bytes, limit: int) -> bytes:
    decoder: Any = brotli.Decompressor()
    try:
        decoded = decoder.process(body, output_buffer_limit=limit + 1)
    except brotli.error as error:
        raise InvalidEncoding(str(error)) from None
    return _checked(decoded, decoder.is_finished(), limit)


def _zstd(body: bytes, limit: int) -> bytes:
    decoder = zstandard.ZstdDecompressor().decompressobj()
    decoded = bytearray()
    try:
        # The decoder has no limit of its own: a KiB at a time, so that a bomb is noticed early.
        for start in range(0, len(body), 1024):
            decoded += decoder.decompress(body[start : start + 1024])
            if decoder.eof or len(decoded) > limit:
                break
    except zstandard.ZstdError as error:
        raise InvalidEncoding(str(error)) from None
    return _checked(bytes(decoded), decoder.eof, limit)


def _checked(decoded: bytes, finished: bool, limit: int) -> bytes:
    if len(decoded) > limit:
        raise DecodedTooLarge(f"more than {limit} bytes")
    if not finished:
        raise InvalidEncoding("the compressed body ends too early")
    return decoded
