"""Rows for tests, and a way to wait until they are written."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from ccproxy.exchange import Exchange
from ccproxy.records.row import Row, row_of


def row(**given: Any) -> Row:
    """A row of an answered request to Claude, with what is given in the place of the usual."""
    made = row_of(Exchange("reverse", "POST", "/api/v1/messages", "anthropic", operation="messages"))
    usual = {
        "started_at": datetime(2026, 11, 1, 12),
        "duration_ms": 1000.0,
        "first_byte_ms": 100.0,
        "backend": "api",
        "model_served": "claude-opus-4-8",
        "status": 200,
        "tokens_input": 1000,
        "tokens_output": 100,
    }
    return msgspec.structs.replace(made, **usual | given)


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
