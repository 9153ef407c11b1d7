import gzip
import zlib

import brotli
import pytest
import zstandard

from ccproxy.formats.decompress import UnknownEncodingError, decoder

TEXT = "data: grüße\n\n".encode() * 500


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("GZIP ", gzip.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("zstd", zstandard.compress(TEXT)),
    ],
)
def test_byte_by_byte_is_the_whole(encoding: str, packed: bytes) -> None:
    decode = decoder(encoding)
    assert b"".join(decode(packed[i : i + 1]) for i in range(len(packed))) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_broken_data_is_a_value_error(encoding: str) -> None:
    decode = decoder(encoding)
    with pytest.raises(ValueError):
        decode(b"this is not compressed at all" * 3)


def test_unknown_encoding() -> None:
    with pytest.raises(UnknownEncodingError):
        decoder("compress")
