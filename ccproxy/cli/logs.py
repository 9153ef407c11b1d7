"""The log of a running ccproxy: lines on stderr, written beside the event loop."""

import contextlib
import logging
from collections.abc import Iterator
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue

from ccproxy.redact import Redact


@contextlib.contextmanager
def logs(level: str) -> Iterator[None]:
    """Our own messages at the level asked for; mitmproxy's only when something is wrong.

    A thread writes them: a terminal that stands still, or a pipe that nobody reads, must not stop the proxy.
    Only its end waits for the reader.
    """
    writer = logging.StreamHandler()
    writer.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    writer.addFilter(Redact())
    waiting: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = QueueHandler(waiting)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("ccproxy").setLevel(level.upper())
    listener = QueueListener(waiting, writer)
    listener.start()
    try:
        yield
    finally:
        listener.stop()
