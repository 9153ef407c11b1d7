"""Errors on our own routes, where there is no provider's format to speak."""

import msgspec

from ccproxy.failures import Failure


def body(failure: Failure, request_id: str) -> bytes:
    """`{"error":{"type","message"}}`"""
    return msgspec.json.encode({"error": {"type": failure.code, "message": failure.message}})


def event(failure: Failure, request_id: str) -> bytes:
    return b"event: error\ndata: %s\n\n" % body(failure, request_id)
