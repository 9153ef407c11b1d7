"""The approver line by line, for terminals that cannot move a cursor: prompts, and answers with Enter."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from ccproxy.cli.permission_body import body, gutter
from ccproxy.cli.permission_desk import Desk
from ccproxy.cli.permission_frame import WRITTEN_OUT, clock
from ccproxy.cli.permission_line_editor import HELP as EDITOR_HELP
from ccproxy.cli.permission_line_editor import LineEditor
from ccproxy.cli.permission_queue import Notice, Queue
from ccproxy.cli.permission_request import BadInputError, Request, allow, as_json, deny, read_input
from ccproxy.cli.permission_text import cropped, has_hidden, in_one_line, plain
from ccproxy.conversation.parts import JsonObject

KEYS = "a allow, d [MESSAGE] deny, s allow for this session, e edit, n next, p previous, ? help, q quit"
HELP = """\
a            allow it, this once
d            deny it; you are asked why, and the model reads that
d MESSAGE    the same, at once
s            allow it, and for the rest of this session the same command, or this tool if it is not Bash
e            edit the input, and allow it as edited
n, p         look at the next one, at the one before
(nothing)    show it again
q            quit; what waits, waits on"""
PROMPTS = {"main": "> ", "message": "Why? (nothing: deny without a message) ", "edit": "edit> "}
LONGEST = 300


class Lines:
    """Tells by `write`, which takes a text as it is; `run` reads what a person types."""

    def __init__(self, desk: Desk, write: Callable[[str], None]) -> None:
        self.desk = desk
        self._write = write
        self._state = "main"
        self._shown: str | None = None
        self._held = False
        self._count = 0
        self._last: Notice | None = None
        self._trouble = ""
        self._answered: set[str] = set()
        self._editors: dict[str, LineEditor] = {}
        self._at_prompt = False

    async def run(self, typed: "asyncio.Queue[str | None]") -> None:
        """Until q or the end of the input. Raises NoAnswerError if the server wants nothing of us."""
        self.desk.changed = self._changed
        self._say(f"Connected to {self.desk.client.address}.\n{KEYS}")
        self._changed()
        if not self.desk.queue.waiting:
            self._say("Nothing waits.")
        while True:
            self._prompt()
            reading = asyncio.ensure_future(typed.get())
            await asyncio.wait((reading, self.desk.following), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                reading.cancel()
                await self.desk.following
                return
            line = reading.result()
            # what the person typed has ended the line of the prompt
            self._at_prompt = False
            if line is None or not await self._take(line):
                return

    # --- what is told

    def _say(self, text: str) -> None:
        self._write(f"\n{text}\n" if self._at_prompt else f"{text}\n")
        self._at_prompt = False

    def _prompt(self) -> None:
        if not self._at_prompt:
            self._write(PROMPTS[self._state])
            self._at_prompt = True

    def _changed(self) -> None:
        """Say what is new; show a request only where an answer cannot be meant for another one."""
        queue, prompting = self.desk.queue, self._at_prompt
        for notice in self._unsaid(queue):
            self._say(plain(in_one_line(cropped(notice.text, LONGEST))))
        if queue.trouble != self._trouble:
            self._trouble = queue.trouble
            if queue.trouble:
                self._say(queue.trouble)
        before, self._shown = self._shown, queue.shown
        if before != queue.shown:
            if before and before not in self._answered:
                self._hold()
            elif self._held:
                self._say("A request waits: press Enter to see it.")
            elif queue.current:
                self._show(queue.current)
        elif len(queue.waiting) > self._count:
            self._say(f"Another one waits ({len(queue.waiting)} in all).")
        self._count = len(queue.waiting)
        if prompting:
            self._prompt()

    def _unsaid(self, queue: Queue) -> Iterator[Notice]:
        notices = list(queue.notices)
        if self._last in notices:
            notices = notices[notices.index(self._last) + 1 :]
        self._last = queue.notices[-1] if queue.notices else None
        yield from notices

    def _hold(self) -> None:
        """The request has left by itself: what is being typed may be meant for it."""
        if self._state != "main":
            self._say("What you wrote was not sent.")
        self._state = "main"
        self._held = True
        count = len(self.desk.queue.waiting)
        self._say(f"Press Enter to go on ({count} {'waits' if count == 1 else 'wait'}).")

    def _show(self, request: Request) -> None:
        for line in told(self.desk.queue, request, datetime.now(UTC)):
            self._say(line)

    # --- what is typed

    async def _take(self, line: str) -> bool:
        """Do what a line says; False to quit."""
        word, _, rest = line.strip().partition(" ")
        if self._state == "main" and word in ("q", "quit"):
            return False
        if self._held:
            self._held = False
            self._again()
        elif self._state == "message":
            await self._deny(line)
        elif self._state == "edit":
            await self._edit(line)
        else:
            await self._command(word, rest)
        return True

    async def _command(self, word: str, rest: str) -> None:
        request = self.desk.queue.current
        match word:
            case "":
                self._again()
            case "?" | "h" | "help":
                self._say(HELP)
            case "a" | "allow" | "s" | "session" | "d" | "deny" | "e" | "edit" if not request:
                self._say("Nothing waits.")
            case "a" | "allow" if request:
                await self._allow(request)
            case "s" | "session" if request:
                await self._allow(request, session=True)
            case "d" | "deny" if rest:
                await self._deny(rest)
            case "d" | "deny":
                self._state = "message"
            case "e" | "edit" if request:
                self._state = "edit"
                self._editors.setdefault(request.id, LineEditor(as_json(request.input)))
                self._list()
                self._say(EDITOR_HELP)
            case "n" | "next":
                self._move(1)
            case "p" | "previous":
                self._move(-1)
            case _:
                self._say(f"Not understood. {KEYS}")

    def _again(self) -> None:
        if request := self.desk.queue.current:
            self._show(request)
        else:
            self._say("Nothing waits.")

    def _move(self, steps: int) -> None:
        self.desk.move(steps)
        self._shown = self.desk.queue.shown
        self._again()

    async def _allow(self, request: Request, *, session: bool = False) -> None:
        if not self.desk.settled():
            self._say("This one has just come: look first.")
        elif session and not request.session:
            self._say("It does not tell its session: allow it once.")
        else:
            await self._send(request, allow(request, session=session))

    async def _deny(self, message: str) -> None:
        self._state = "main"
        if request := self.desk.queue.current:
            await self._send(request, deny(message))

    async def _send(self, request: Request, answer: JsonObject) -> None:
        self._answered.add(request.id)
        await self.desk.answer(request, answer)
        # if it was not taken, the request may still leave by itself
        self._answered.discard(request.id)

    async def _edit(self, line: str) -> None:
        if not (request := self.desk.queue.current):
            return
        editor = self._editors[request.id]
        step = editor.take(line)
        if step == "back":
            self._state = "main"
            self._again()
        elif step == "shown":
            self._list()
        elif step == "done":
            try:
                value = read_input(editor.text, request.input)
            except BadInputError as error:
                self._list()
                self._say(str(error))
                return
            self._state = "main"
            await self._send(request, allow(request, value=value, edited=True))

    def _list(self) -> None:
        if request := self.desk.queue.current:
            for line in self._editors[request.id].numbered():
                # somebody may have typed what a terminal obeys
                self._say(plain(in_one_line(line)))


def told(queue: Queue, request: Request, now: datetime) -> Iterator[str]:
    """A request in lines."""
    total = len(queue.waiting)
    place = f" ({queue.position} of {total})" if total > 1 else ""
    yield f"--- {cropped(request.tool, LONGEST)}{place} ---"
    yield f"in      {cropped(request.cwd, LONGEST) or '(not told)'}"
    yield f"session {cropped(request.session, LONGEST) or '(not told)'}"
    if (left := queue.left(request, now)) is not None:
        yield f"expires in {clock(left)}"
    entries = body(request)
    if has_hidden([line for _, line in entries]):
        yield WRITTEN_OUT
    for mark, line in entries:
        yield f"{gutter(mark)[1]}{plain(line)}".rstrip()
