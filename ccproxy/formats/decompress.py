"""Decoders for content encodings: incremental for answers, whole for requests."""

import zlib
from collections.abc import Callable

import brotli
import zstandard

Decode = Callable[[bytes], bytes]


_STEP = 1024
"""Bytes that are decoded at once: what they may become is checked in between."""


class UnknownEncodingError(ValueError):
    """The content-encoding is none that we can read."""


class TooLargeError(ValueError):
    """The decoded body is larger than it may be."""


def decoder(encoding: str) -> Decode:
    """A function that takes compressed chunks in order and gives what they decode to so far.

    It raises ValueError on broken data. `encoding` is the value of a content-encoding header (RFC 9110, 8.4).
    """
    match encoding.strip().lower():
        case "" | "identity":
            return lambda data: data
        case "gzip" | "x-gzip" | "deflate":
            return _guarded(zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress, zlib.error)
        case "br":
            return _guarded(brotli.Decompressor().process, brotli.error)
        case "zstd":
            return _guarded(zstandard.ZstdDecompressor().decompressobj().decompress, zstandard.ZstdError)
    raise UnknownEncodingError(encoding)


def whole(data: bytes, encoding: str, limit: int) -> bytes:
    """What a compressed body decodes to, if that is `limit` bytes at most.

    Raises UnknownEncodingError, TooLargeError, and ValueError on broken data. Brotli counts as unknown: a few
    bytes of it become gigabytes in one step.
    """
    if not encoding:
        return data
    if encoding.strip().lower() == "br":
        raise UnknownEncodingError(encoding)
    decode, pieces, size = decoder(encoding), list[bytes](), 0
    for start in range(0, len(data), _STEP):
        pieces.append(decode(data[start : start + _STEP]))
        size += len(pieces[-1])
        if size > limit:
            raise TooLargeError(encoding)
    return b"".join(pieces)


def _guarded(decode: Decode, error: type[Exception]) -> Decode:
    def guarded(data: bytes) -> bytes:
        try:
            return decode(data)
        except error as problem:
            raise ValueError(str(problem)) from problem

    return guarded
