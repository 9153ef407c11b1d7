"""Content views: what mitmproxy's tools show of a flow in the place of its bytes."""

import re

from mitmproxy import ctx, http
from mitmproxy.contentviews import Contentview, InteractiveContentview, Metadata
from mitmproxy.websocket import WebSocketMessage

from ccproxy.addons.notes import PACE, TIMES, frames_of
from ccproxy.conversation.parts import Wire
from ccproxy.inspector.conversation import conversation_text, frame_text, socket_text
from ccproxy.inspector.frames import Frame, belongs_to_responses, turn_before, turns
from ccproxy.inspector.prompt import changed_body, prompt_text
from ccproxy.inspector.recognise import wire_of_answer, wire_of_path, wire_of_request
from ccproxy.inspector.timing import Times, timing_text, turns_text
from ccproxy.inspector.translation import CHANGES, answer_translation, request_translation

CHOSEN = 3.0
"""The priority of a view that fits: mitmproxy's own go up to 2."""


BLANK = re.compile("^$", re.MULTILINE)


class Conversation(Contentview):
    """A request, an answer or a frame of a WebSocket as people read it.

    It asks the bytes alone, so it shows flow files of any origin. The answer that opens a WebSocket has no
    body: there stands what was said on it.
    """

    name = "Conversation"
    syntax_highlight = "none"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        return with_visible_blanks(self.text(data, metadata))

    def text(self, data: bytes, metadata: Metadata) -> str:
        if (frame := metadata.websocket_message) is not None:
            return frame_text(data, turn_before(data, frames_before(metadata, frame)))
        path, request = path_of(metadata), isinstance(metadata.http_message, http.Request)
        if opens_socket(metadata):
            return socket_text(frames_in(metadata))
        if request and (wire := wire_of_request(path, data)):
            return conversation_text(wire, request=data)
        if not request and (wire := wire_of_answer(path, data)):
            return conversation_text(wire, answer=data)
        return data.decode("utf-8", "replace")

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if metadata.websocket_message is not None:
            return CHOSEN if belongs_to_responses(data) else -1
        if opens_socket(metadata):
            return CHOSEN if turns(frames_in(metadata)) else -1
        path = path_of(metadata)
        if not data or wire_of_path(path) is None:
            return -1
        known = wire_of_request if isinstance(metadata.http_message, http.Request) else wire_of_answer
        return CHOSEN if known(path, data) else -1


class Prompt(InteractiveContentview):
    """A request, or an answer that did not stream, as text to edit; only for who asks for it."""

    name = "Prompt"
    syntax_highlight = "none"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        try:
            return prompt_text(wire_to_edit(data, metadata), data)
        except ValueError as problem:
            # mitmproxy would show it with a traceback
            return str(problem)

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        """The bytes that the message has now, with what was edited."""
        message = metadata.http_message or metadata.websocket_message
        data = metadata.original_data if message is None else message.content
        if data is None:
            raise ValueError("The message has no content.")
        return changed_body(wire_to_edit(data, metadata), data, prettified)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return -1


def wire_to_edit(data: bytes, metadata: Metadata) -> Wire:
    """The format of a body. ValueError for what is no conversation in JSON."""
    path, answer = path_of(metadata), isinstance(metadata.http_message, http.Response)
    wire = wire_of_answer(path, data) if answer else wire_of_request(path, data)
    if metadata.websocket_message is not None and belongs_to_responses(data):
        wire = "responses"
    if wire is None or data.lstrip()[:1] != b"{":
        raise ValueError("This is no request and no whole answer of a conversation.")
    return wire


class Translation(Contentview):
    """What became of a request or an answer on its way; only for who asks for it."""

    name = "Translation"
    syntax_highlight = "none"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        flow = metadata.flow
        if not isinstance(flow, http.HTTPFlow):
            raise ValueError("Only HTTP flows are translated.")
        if flow.websocket is not None:
            return "Nothing was changed: frames go on as they come."
        if TIMES not in flow.metadata:
            return "Nothing is noted: the flow has not ended, or did not go through ccproxy."
        if CHANGES not in flow.metadata and wire_of_path(flow.request.path) is None:
            return "This is no conversation: only those are compared."
        if isinstance(metadata.http_message, http.Request):
            return with_visible_blanks(request_translation(flow.metadata, data, flow.request.host))
        return with_visible_blanks(answer_translation(flow.metadata, data))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return -1


class Timing(Contentview):
    """When what happened. Of a flow that did not go through us: what mitmproxy has noted."""

    name = "Timing"
    syntax_highlight = "yaml"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        flow = metadata.flow
        if not isinstance(flow, http.HTTPFlow):
            raise ValueError("Only HTTP flows have these times.")
        if flow.websocket is not None:
            return turns_text(turns(frames_of(flow)), flow.request.timestamp_start)
        noted = flow.metadata.get(TIMES)
        if not isinstance(noted, dict):
            return timing_text(times_in(flow))
        return timing_text(noted | flow.metadata.get(PACE, {}))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        """Never by itself: it shows nothing of the body."""
        return -1


def with_visible_blanks(text: str) -> str:
    """Lines with a blank in the place of empty ones, to which mitmweb gives no height (12.2.3)."""
    return BLANK.sub(" ", text) if "webauth" in ctx.master.addons.lookup else text


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


def opens_socket(metadata: Metadata) -> bool:
    """Whether this is the answer that opened a WebSocket."""
    flow = metadata.flow
    is_socket = isinstance(flow, http.HTTPFlow) and flow.websocket is not None
    return is_socket and isinstance(metadata.http_message, http.Response)


def frames_in(metadata: Metadata) -> list[Frame]:
    """The frames of a socket, as far as they are kept."""
    return frames_of(metadata.flow) if isinstance(metadata.flow, http.HTTPFlow) else []


def frames_before(metadata: Metadata, frame: WebSocketMessage) -> list[Frame]:
    """The frames that came before this one."""
    flow = metadata.flow
    if not isinstance(flow, http.HTTPFlow) or flow.websocket is None:
        return []
    # the same frame may come twice in equal bytes: what counts is which one it is
    at = next((number for number, message in enumerate(flow.websocket.messages) if message is frame), 0)
    return frames_of(flow)[:at]
