"""Errors in the shape of the Messages API (errors page, read 2026-11-22)."""

import msgspec

from ccproxy.failures import Failure


def body(failure: Failure, request_id: str) -> bytes:
    """`{"type":"error","error":{"type","message"},"request_id"}`"""
    return msgspec.json.encode(_shape(failure, request_id))


def event(failure: Failure, request_id: str) -> bytes:
    """An `error` event; nothing follows it, not even `message_stop`."""
    return b"event: error\ndata: %s\n\n" % body(failure, request_id)


def _shape(failure: Failure, request_id: str) -> dict[str, object]:
    return {
        "type": "error",
        "error": {"type": failure.type, "message": failure.message},
        "request_id": request_id,
    }
