"""Incremental decoders for content encodings: a copy of a compressed answer is read on the side."""

import zlib
from collections.abc import Callable

import brotli
import zstandard

Decode = Callable[[bytes], bytes]


class UnknownEncodingError(ValueError):
    """The content-encoding is none that we can read."""


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


def _guarded(decode: Decode, error: type[Exception]) -> Decode:
    def guarded(data: bytes) -> bytes:
        try:
            return decode(data)
        except error as problem:
            raise ValueError(str(problem)) from problem

    return guarded
