"""The Exchange: the one object that follows a request through the proxy."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.usage import Usage
from ccproxy.credentials.credential import Secret
from ccproxy.failures import Failure
from ccproxy.formats import FormatName
from ccproxy.routes import BackendName, Operation
from ccproxy.translation import Translation

Door = Literal["reverse", "proxy", "tunnel"]
"""How a request came in: to our own address, as a proxy request, or inside a CONNECT tunnel."""

Policy = Literal["attach", "observe", "relay"]
"""What we do with it: attach our credential, only look, or carry it to a host that is not our business."""

Headers = list[tuple[str, str]]


@dataclass(slots=True, weakref_slot=True)
class Exchange:
    """One request and its answer.

    `admitted` is the gate's word, `cleared` the last one before anything may go upstream; the bodies
    of a `confidential` exchange hold tokens and are never kept. `origin` is an allowed web page's.
    `fitted`: the request was made to suit a backend that always streams and has events of its own, and `said`
    takes the answer once it is whole. A `socket` is a WebSocket once its upgrade is answered; `bridge` is
    what the local app needs to serve it. A `patient` one may wait for a person, so silence is no failure.
    `session` is a persistent session that the path names; `session_id`
    and `agent_id` are what clients call their own. `unreadable` says why we cannot look into the request's
    body: it matters only if we have to change it.
    `secret` is our credential behind `attached`, unless the upstream has rejected it and nothing better was
    found; `retries` counts the attempts after the first.
    `peek` asks to hold a stream in that format until its first events show that it is no error.
    `first_text` is when a stream began to answer, after it had thought.
    Times are seconds: `started_at` of the epoch, the others on the monotonic clock. `received` holds the
    credential headers that the client sent and `attached` those that go upstream instead; neither is ever
    in the flow, so nothing that stores or shows a flow can hold a secret.
    """

    door: Door
    method: str
    path: str
    client_format: FormatName = "utility"
    id: str = field(default_factory=lambda: f"ccp_{uuid.uuid4().hex}")
    started_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.monotonic)

    admitted: bool = False
    cleared: bool = False
    confidential: bool = False
    policy: Policy = "relay"
    backend: BackendName | None = None
    operation: Operation = "other"
    route: str = ""
    upstream: str = ""
    reshaped: bool = False
    renamed: bool = False
    unreadable: Failure | None = None
    socket: bool = False
    patient: bool = False
    wire: Wire | None = None
    upstream_format: FormatName | None = None
    translation: Translation | None = field(default=None, repr=False)
    fitted: bool = False
    said: Callable[[JsonObject], None] | None = field(default=None, repr=False)
    peek: Wire | None = None
    losses: tuple[Loss, ...] = ()
    warnings: str = ""

    origin: str | None = None
    client: str | None = None
    session: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    model_requested: str | None = None
    model_sent: str | None = None
    model_served: str | None = None
    stream: bool = False

    status: int | None = None
    failure: Failure | None = None
    error: str | None = None
    stop_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    bytes_in: int = 0
    bytes_out: int = 0

    sent: float | None = None
    first_byte: float | None = None
    first_text: float | None = None
    last_byte: float | None = None
    longest_gap: float = 0.0
    ended: float | None = None
    retries: int = 0

    received: Headers = field(default_factory=list, repr=False)
    attached: Headers = field(default_factory=list, repr=False)
    secret: Secret | None = field(default=None, repr=False)
    cookies: Headers = field(default_factory=list, repr=False)
    bridge: Headers = field(default_factory=list, repr=False)

    def received_value(self, name: str) -> str | None:
        """The value of a credential header that the client sent; `name` in lower case."""
        return next((value for key, value in self.received if key.lower() == name), None)

    def saw_bytes(self, count: int) -> None:
        """Note that `count` bytes of the answer came from the upstream just now."""
        now = time.monotonic()
        if self.first_byte is None:
            self.first_byte = now
        elif self.last_byte is not None:
            self.longest_gap = max(self.longest_gap, now - self.last_byte)
        self.last_byte = now
        self.bytes_out += count
