"""A text edited line by line, where the cursor cannot be moved: as people did on paper."""

import re
from collections.abc import Iterator
from typing import Literal

HELP = """\
N TEXT replaces line N, N alone takes it out; a line that begins with { begins a new text.
A dot alone: allow with this input. An empty line: back, without an answer (your text is kept)."""

Step = Literal["more", "shown", "done", "back"]


class LineEditor:
    """`lines` is the text as it stands."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self._collecting = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def numbered(self) -> Iterator[str]:
        for number, line in enumerate(self.lines, 1):
            yield f"{number:4} {line}"

    def take(self, typed: str) -> Step:
        """What a typed line means: `shown` if the text has changed and may be looked at."""
        if typed.strip() == ".":
            self._collecting = False
            return "done"
        if self._collecting:
            self.lines.append(typed)
            return "more"
        if not typed.strip():
            return "back"
        if typed.lstrip().startswith("{"):
            self.lines = [typed]
            self._collecting = True
            return "more"
        numbered = re.fullmatch(r"\s*(\d{1,6})(?: (.*))?", typed)
        if not numbered or not 1 <= int(numbered[1]) <= len(self.lines) + 1:
            return "shown"
        place = int(numbered[1]) - 1
        self.lines[place : place + 1] = [] if numbered[2] is None else [numbered[2]]
        return "shown"
