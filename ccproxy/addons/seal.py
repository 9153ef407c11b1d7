"""Secrets never enter a flow: they are taken off a message when it comes in and put on when it leaves.

What mitmproxy's other addons see, show or save is the flow; what goes over the wire is a copy with the real
headers. So no view, log line or flow file can hold a credential, whichever tool we run inside.
"""

import copy

from mitmproxy import http

from ccproxy.exchange import Headers

REQUEST_SECRETS = frozenset(
    (
        b"authorization",
        b"x-api-key",
        b"proxy-authorization",
        b"cookie",
        b"sec-websocket-protocol",
        b"chatgpt-account-id",
    )
)
RESPONSE_SECRETS = frozenset((b"set-cookie",))
MASK = b"[sealed]"


def seal(message: http.Request | http.Response, names: frozenset[bytes]) -> Headers:
    """Mask the secret headers of a message in place; returns what they were, in order."""
    found: Headers = []
    fields = []
    for name, value in message.headers.fields:
        if name.lower() in names:
            found.append((name.decode("latin-1"), value.decode("latin-1")))
            value = MASK
        fields.append((name, value))
    if found:
        message.headers.fields = tuple(fields)
    return found


def unsealed[M: (http.Request, http.Response)](message: M, names: frozenset[bytes], secrets: Headers) -> M:
    """A copy of the message for the wire: the masked headers gone, `secrets` in their place."""
    kept = [(name, value) for name, value in message.headers.fields if name.lower() not in names]
    added = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in secrets]
    wire = copy.copy(message)
    wire.data = copy.copy(message.data)
    wire.headers = http.Headers(kept + added)
    return wire
