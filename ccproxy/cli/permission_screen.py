"""The approver on a whole screen: keys, and the two things that one can write."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import DynamicContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.styles import Style
from prompt_toolkit.widgets import TextArea

from ccproxy.cli.permission_desk import Desk
from ccproxy.cli.permission_frame import (
    Frame,
    Look,
    editor_foot,
    editor_head,
    gone_frame,
    help_frame,
    idle_frame,
    message_ask,
    request_frame,
)
from ccproxy.cli.permission_request import BadInputError, Request, allow, as_json, deny, read_input
from ccproxy.cli.permission_text import Line

STYLE = Style.from_dict(
    {
        "header": "reverse",
        "soon": "reverse ansiyellow",
        "now": "reverse ansired",
        "tool": "bold",
        "command": "bold",
        "name": "ansicyan",
        "key": "bold ansicyan",
        "rule": "ansibrightblack",
        "added": "ansigreen",
        "removed": "ansired",
        "hidden": "reverse ansiyellow",
        "warning": "ansiyellow",
        "good": "ansigreen",
        "bad": "ansired",
        "gone": "ansiyellow",
    }
)
TICK = 0.5
"""Seconds between two looks at the clock."""

ESCAPE_WAIT = 0.1
"""Seconds after which an Escape is the key, and not the beginning of what another key sends."""

Mode = Literal["main", "help", "message", "edit", "gone"]


class Screen:
    """Shows what the desk has. Raises NoAnswerError if the server wants nothing of us."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.mode: Mode = "main"
        self.scroll = 0
        self.page = 1
        self.hint = ""
        self.problem = ""
        self.subject: Request | None = None
        self.drafts: dict[str, str] = {}
        self._shown: str | None = None
        self._make_layout()
        self.app: Application[None] = Application(
            layout=Layout(DynamicContainer(lambda: self._containers[self.mode]), self._frame),
            key_bindings=self._keys(),
            style=STYLE,
            full_screen=True,
            refresh_interval=TICK,
        )
        self.app.ttimeoutlen = ESCAPE_WAIT

    async def run(self) -> None:
        self.desk.changed = self._changed
        self.desk.arrived = self._ring
        self._changed()
        self.desk.following.add_done_callback(lambda _: self.quit())
        await self.app.run_async()
        if self.desk.following.done():
            await self.desk.following

    def quit(self) -> None:
        if self.app.future and not self.app.future.done():
            self.app.exit()

    # --- what is seen

    def _make_layout(self) -> None:
        self._message = TextArea(multiline=False, height=1, accept_handler=lambda _: self._deny())
        self._editor = TextArea(scrollbar=True)
        self._frame = Window(
            FormattedTextControl(lambda: _drawn(self._rows()), focusable=True, show_cursor=False),
            always_hide_cursor=True,
        )
        asked = Window(FormattedTextControl(lambda: _drawn(self._rows(2))))
        ask = Window(FormattedTextControl(lambda: _drawn([message_ask(self._look())])), height=1)
        head = Window(FormattedTextControl(lambda: _drawn(self._editor_rows(editor_head))), height=2)
        foot = Window(FormattedTextControl(lambda: _drawn(editor_foot(self.problem, self._look()))), height=2)
        self._containers = {
            "main": self._frame,
            "help": self._frame,
            "gone": self._frame,
            "message": HSplit([asked, ask, self._message]),
            "edit": HSplit([head, self._editor, foot]),
        }

    def _look(self, taken: int = 0) -> Look:
        size = self.app.output.get_size()
        solid = self.app.output.encoding().lower().startswith("utf")
        return Look(size.columns, max(size.rows - taken, 1), solid)

    def _rows(self, taken: int = 0) -> list[Line]:
        frame = self._framed(self._look(taken))
        self.scroll, self.page = frame.scroll, frame.page
        return frame.rows

    def _framed(self, look: Look) -> Frame:
        queue, now = self.desk.queue, datetime.now(UTC)
        if self.mode == "help":
            return help_frame(queue, look, self.scroll)
        if self.mode == "gone":
            return gone_frame(queue, look)
        if self.mode == "message" and self.subject:
            return request_frame(queue, self.subject, now, look, self.scroll, with_keys=False)
        if request := queue.current:
            return request_frame(queue, request, now, look, self.scroll, hint=self.hint)
        return idle_frame(queue, self.desk.client.address, look, self.scroll)

    def _editor_rows(self, rows: Callable[..., list[Line]]) -> list[Line]:
        return rows(self.desk.queue, self.subject, datetime.now(UTC), self._look()) if self.subject else []

    # --- what happens

    def _changed(self) -> None:
        queue = self.desk.queue
        if self._shown != queue.shown:
            self._shown, self.scroll, self.hint = queue.shown, 0, ""
        if self.mode in ("message", "edit") and self.subject and self.subject.id not in queue.waiting:
            self.drafts.pop(self.subject.id, None)
            self._turn("gone")
        self.app.invalidate()

    def _ring(self) -> None:
        self.app.output.bell()
        self.app.output.flush()

    def _turn(self, mode: Mode) -> None:
        self.mode, self.hint, self.problem = mode, "", ""
        wanted = {"message": self._message, "edit": self._editor}.get(mode, self._frame)
        self.app.layout.focus(wanted)

    def _ready(self) -> Request | None:
        """The request on the screen, if it can be answered now; else a hint says why not."""
        queue = self.desk.queue
        request = queue.current
        if request and queue.is_sending(request):
            return None
        if request and not queue.connected:
            self.hint = "Not connected: your answer would not arrive."
            return None
        return request

    def _allow(self, *, session: bool = False) -> None:
        if not (request := self._ready()):
            return
        if not self.desk.settled():
            self.hint = "This one has just come: look first."
        elif session and not request.session:
            self.hint = "It does not tell its session: allow it once."
        else:
            self.desk.answer(request, allow(request, session=session))

    def _begin_to_deny(self) -> None:
        if request := self._ready():
            self.subject = request
            self._message.text = ""
            self._turn("message")

    def _deny(self) -> bool:
        if self.subject:
            request, self.subject = self.subject, None
            self._turn("main")
            self.desk.answer(request, deny(self._message.text))
        return False

    def _begin_to_edit(self) -> None:
        if request := self._ready():
            self.subject = request
            self._editor.text = self.drafts.get(request.id) or as_json(request.input)
            self._editor.buffer.cursor_position = 0
            self._turn("edit")

    def _send_edited(self) -> None:
        if not (request := self.subject):
            return
        try:
            value = read_input(self._editor.text, request.input)
        except BadInputError as error:
            self.problem = str(error)
            document = self._editor.document
            place = document.translate_row_col_to_index(error.line - 1, error.column - 1)
            self._editor.buffer.cursor_position = min(place, len(self._editor.text))
            return
        if not self.desk.queue.connected:
            self.problem = "Not connected: your answer would not arrive."
            return
        self.subject = None
        self.drafts.pop(request.id, None)
        self._turn("main")
        self.desk.answer(request, allow(request, value=value, edited=True))

    def _leave_writing(self) -> None:
        if self.mode == "edit" and self.subject:
            self.drafts[self.subject.id] = self._editor.text
        self.subject = None
        self._turn("main")

    def _move(self, steps: int) -> None:
        self.desk.move(steps)
        self._changed()

    def _scroll(self, rows: Callable[[], int]) -> None:
        # while nothing waits the body begins at its end
        back = self.mode == "main" and not self.desk.queue.current
        self.scroll = max(self.scroll + (-rows() if back else rows()), 0)

    # --- keys

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        main = Condition(lambda: self.mode == "main")
        reading = Condition(lambda: self.mode in ("main", "help"))
        not_editing = Condition(lambda: self.mode != "edit")

        def on(names: str, then: Callable[[], Any], when: Condition, *, eager: bool = False) -> None:
            def pressed(event: KeyPressEvent) -> None:
                self.hint = ""
                then()

            for name in names.split():
                keys.add(" " if name == "space" else name, filter=when, eager=eager)(pressed)

        on("a", self._allow, main)
        on("s", lambda: self._allow(session=True), main)
        on("d", self._begin_to_deny, main)
        on("e", self._begin_to_edit, main)
        on("n tab right", lambda: self._move(1), main)
        on("p s-tab left", lambda: self._move(-1), main)
        on("?", lambda: self._turn("help"), main)
        on("q", self.quit, main)
        on("up k", lambda: self._scroll(lambda: -1), reading)
        on("down j", lambda: self._scroll(lambda: 1), reading)
        on("space", lambda: self._scroll(lambda: self.page), reading)
        on("b", lambda: self._scroll(lambda: -self.page), reading)
        on("pagedown", lambda: self._scroll(lambda: self.page), not_editing, eager=True)
        on("pageup", lambda: self._scroll(lambda: -self.page), not_editing, eager=True)
        on("home g", lambda: self._scroll(lambda: -(10**9)), reading)
        on("end G", lambda: self._scroll(lambda: 10**9), reading)
        keys.add(Keys.Any, filter=Condition(lambda: self.mode == "help"))(lambda _: self._turn("main"))
        on("enter escape", lambda: self._turn("main"), Condition(lambda: self.mode == "gone"), eager=True)
        writing = Condition(lambda: self.mode in ("message", "edit"))
        on("escape", self._leave_writing, writing, eager=True)
        on("c-s", self._send_edited, Condition(lambda: self.mode == "edit"))
        always = Condition(lambda: True)
        on("c-c <sigint>", self.quit, always, eager=True)
        on("c-z", lambda: self.app.suspend_to_background(), always)
        return keys


def _drawn(rows: list[Line]) -> StyleAndTextTuples:
    """Rows as prompt_toolkit takes them."""
    drawn: StyleAndTextTuples = []
    for number, row in enumerate(rows):
        if number:
            drawn.append(("", "\n"))
        drawn.extend(row)
    return drawn
