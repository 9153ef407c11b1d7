"""The content blocks of an answer as events of a Messages stream: numbered 0, 1, 2 …, one open at a time.

Claude Code repeats a request whose stream broke off. What it says then begins with what the client has been
told already, or is another answer altogether. So the end of a block is held back until it is sure, and the
words of a second try are compared with those of the first: what is the same is not said twice, more of it
goes into the block that is still open, and anything else begins a block of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.arguments import compact

Kind = Literal["text", "thinking"]
Event = JsonObject

_EMPTY: dict[Kind, JsonObject] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
PARAGRAPH = "\n\n"


@dataclass(eq=False, slots=True)
class _Told:
    """A block that the client has been told, as far as it went."""

    kind: Kind
    text: str = ""
    is_signed: bool = False


@dataclass(eq=False, slots=True)
class _Telling:
    """What Claude Code says right now; `source` is the message of the API that it belongs to.

    As long as `again` is set, it has said nothing but what stands in that block of the first try.
    """

    kind: Kind
    source: str
    text: str = ""
    block: _Told | None = None
    again: _Told | None = None


class Blocks:
    """With `separate`, a blank line comes between texts that do not belong together, for readers who join
    all the text of an answer."""

    def __init__(self, separate: bool) -> None:
        self.is_started = False
        self.count = 0
        self._separate = separate
        self._last_source: str | None = None
        self._open: _Told | None = None
        self._telling: _Telling | None = None
        self._tried: list[_Told] = []
        self._broken: list[_Told] = []
        self._waiting: list[JsonObject] = []
        self._events: list[Event] = []

    def drain(self) -> list[Event]:
        """What has not been given yet."""
        events, self._events = self._events, []
        return events

    def start(self, message: JsonObject) -> None:
        """The first of all events; later calls do nothing."""
        if not self.is_started:
            self.is_started = True
            self._say("message_start", message=message)
            self._flush()

    def begin(self, kind: Kind, source: str) -> None:
        """A block of text or of thinking. It is not opened before there is something in it."""
        self.end()
        again = self._broken[0] if self._broken else None
        if again and again.kind != kind:
            self._broken, again = [], None
        self._telling = _Telling(kind, source, again=again)

    def tells(self, kind: Kind) -> bool:
        """Whether a block of this kind has begun and not ended."""
        return self._telling is not None and self._telling.kind == kind

    def more(self, text: str) -> None:
        """More of the block that has begun."""
        telling = self._telling
        if telling is None or not text:
            return
        telling.text += text
        if again := telling.again:
            if again.text.startswith(telling.text):
                return
            if again is self._open and telling.text.startswith(again.text):
                text = telling.text[len(again.text) :]
                telling.block, telling.again = again, None
                self._tried.append(self._broken.pop(0))
                self._last_source = telling.source
            else:
                text = self._tell_anew(telling)
        self._delta(telling, text)

    def sign(self, signature: str) -> None:
        """The signature of the thinking that has begun."""
        telling = self._telling
        if telling is None or telling.kind != "thinking" or not signature:
            return
        block = telling.again or telling.block or self._opened(telling)
        if block is self._open and block.text == telling.text and not block.is_signed:
            block.is_signed = True
            self._block_delta("signature_delta", signature=signature)

    def end(self) -> None:
        """The block that has begun is whole, or will get no more in this try."""
        telling = self._telling
        if telling and telling.again and telling.text:
            if telling.text == telling.again.text:
                self._tried.append(self._broken.pop(0))
            else:
                self._delta(telling, self._tell_anew(telling))
        self._telling = None
        self._flush()

    def message_ended(self, whole: bool) -> None:
        """The API's message is over: well, or broken off and to be tried again."""
        self.end()
        if whole:
            self.close()
            self._broken = []
        else:
            self._broken = self._tried + self._broken
        self._tried = []

    def whole(self, blocks: Iterable[JsonObject]) -> None:
        """Blocks in one piece; they wait for the end of what is being told."""
        self._waiting += blocks
        self._flush()

    def close(self) -> None:
        """Nothing more comes into the block that is open."""
        if self._open:
            self._open = None
            self._say("content_block_stop", index=self.count - 1)

    def finish(self, delta: JsonObject, **more: object) -> None:
        """The last two events: a `message_delta` with this delta, and the end."""
        self.end()
        self.close()
        self._say("message_delta", delta=delta, **more)
        self._say("message_stop")

    def _flush(self) -> None:
        if self._telling or not self.is_started:
            return
        waiting, self._waiting = self._waiting, []
        for block in waiting:
            self.close()
            self._write(block)

    def _write(self, block: JsonObject) -> None:
        """A block in one piece, in deltas where clients expect them."""
        match block:
            case {"type": "text", "text": str(text)}:
                # nothing else comes from this source, so it stands apart
                self._delta(_Telling("text", f"block {self.count}"), text)
            case {"type": "tool_use", "input": arguments}:
                self._say("content_block_start", index=self.count, content_block={**block, "input": {}})
                self.count += 1
                self._block_delta("input_json_delta", partial_json=compact(arguments))
                self._say("content_block_stop", index=self.count - 1)
            case _:
                self._say("content_block_start", index=self.count, content_block=block)
                self._say("content_block_stop", index=self.count)
                self.count += 1
        self.close()

    def _tell_anew(self, telling: _Telling) -> str:
        """It is another answer: nothing of the first try is compared any more. All that was said of it."""
        self._broken, telling.again = [], None
        return telling.text

    def _delta(self, telling: _Telling, text: str) -> None:
        if telling.block is None:
            telling.block = self._opened(telling)
            if telling.kind == "text":
                if self._separate and self._last_source not in (None, telling.source):
                    self._block_delta("text_delta", text=PARAGRAPH)
                self._last_source = telling.source
        telling.block.text += text
        field = "text" if telling.kind == "text" else "thinking"
        self._block_delta(f"{telling.kind}_delta", **{field: text})

    def _opened(self, telling: _Telling) -> _Told:
        self.close()
        self._say("content_block_start", index=self.count, content_block={**_EMPTY[telling.kind]})
        self.count += 1
        self._open = telling.block = _Told(telling.kind)
        if telling is self._telling:
            self._tried.append(self._open)
        return self._open

    def _block_delta(self, kind: str, **fields: str) -> None:
        self._say("content_block_delta", index=self.count - 1, delta={"type": kind, **fields})

    def _say(self, kind: str, **fields: object) -> None:
        self._events.append({"type": kind, **fields})
