"""Content views: what mitmproxy's tools show of a flow in the place of its bytes."""

from mitmproxy import http
from mitmproxy.contentviews import Contentview, Metadata
from mitmproxy.websocket import WebSocketMessage

from ccproxy.addons.notes import TIMES
from ccproxy.inspector.conversation import conversation_text, frame_text
from ccproxy.inspector.frames import belongs_to_responses, turn_before
from ccproxy.inspector.recognise import wire_of_answer, wire_of_path, wire_of_request
from ccproxy.inspector.timing import Times, timing_text

CHOSEN = 3.0
"""The priority of a view that fits: mitmproxy's own go up to 2."""


class Conversation(Contentview):
    """A request, an answer or a frame of a WebSocket as people read it.

    It asks the bytes alone, so it shows flow files of any origin.
    """

    name = "Conversation"
    syntax_highlight = "none"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        if (frame := metadata.websocket_message) is not None:
            return frame_text(data, turn_before(data, frames_before(metadata, frame)))
        path, request = path_of(metadata), isinstance(metadata.http_message, http.Request)
        if request and (wire := wire_of_request(path, data)):
            return conversation_text(wire, request=data)
        if not request and (wire := wire_of_answer(path, data)):
            return conversation_text(wire, answer=data)
        return data.decode("utf-8", "replace")

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if metadata.websocket_message is not None:
            return CHOSEN if belongs_to_responses(data) else -1
        path = path_of(metadata)
        if not data or wire_of_path(path) is None:
            return -1
        known = wire_of_request if isinstance(metadata.http_message, http.Request) else wire_of_answer
        return CHOSEN if known(path, data) else -1


class Timing(Contentview):
    """When what happened. Of a flow that did not go through us: what mitmproxy has noted."""

    name = "Timing"
    syntax_highlight = "yaml"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        flow = metadata.flow
        if not isinstance(flow, http.HTTPFlow):
            raise ValueError("Only HTTP flows have these times.")
        noted = flow.metadata.get(TIMES)
        return timing_text(noted if isinstance(noted, dict) else times_in(flow))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        """Never by itself: it shows nothing of the body."""
        return -1


def times_in(flow: http.HTTPFlow) -> Times:
    """The times that any flow has."""
    started, response = flow.request.timestamp_start, flow.response
    moments = {
        "sent": flow.request.timestamp_end,
        "first_byte": response.timestamp_start if response else None,
        "ended": response.timestamp_end if response else None,
    }
    return {name: moment - started for name, moment in moments.items() if moment is not None}


def path_of(metadata: Metadata) -> str:
    """Where the flow's request went; "" when that is not known."""
    flow = metadata.flow
    return flow.request.path if isinstance(flow, http.HTTPFlow) else ""


def frames_before(metadata: Metadata, frame: WebSocketMessage) -> list[tuple[bool, bytes]]:
    """The frames that came before this one, each with whether it is the client's."""
    flow = metadata.flow
    if not isinstance(flow, http.HTTPFlow) or flow.websocket is None:
        return []
    messages = flow.websocket.messages
    # the same frame may come twice in equal bytes: what counts is which one it is
    at = next((number for number, message in enumerate(messages) if message is frame), 0)
    return [(message.from_client, message.content) for message in messages[:at]]
