"""The golden cases of the inspector: a body per file, and beside it (`.txt`) how people see it.

`<wire>/request*.json` is a request, any other file an answer: JSON or a stream. `frames/*.jsonl` are the
frames of a WebSocket, each `[who, frame]`; below them stands the whole conversation. `translation/*.json` are
both sides of an exchange. `python -m tests.inspector.golden_cases` writes what stands beside.
"""

import json
from pathlib import Path

from ccproxy.inspector.conversation import conversation_text, frame_text, socket_text
from ccproxy.inspector.frames import Frame, turn_before
from ccproxy.inspector.translation import CHANGES, HEARD, SAID, answer_translation, request_translation
from ccproxy.translation import CODECS

HERE = Path(__file__).parent / "golden"


def cases() -> list[Path]:
    """Every input, in order."""
    return sorted(path for path in HERE.rglob("*") if path.suffix in (".json", ".sse", ".jsonl"))


def expected(case: Path) -> Path:
    return case.with_name(case.name + ".txt")


def text_of(case: Path) -> str:
    """How the inspector shows it."""
    if case.suffix == ".jsonl":
        return frames(case)
    if case.parent.name == "translation":
        return translation(case)
    body = case.read_bytes()
    wire = next(wire for wire in CODECS if wire == case.parent.name)
    if case.name.startswith("request"):
        return conversation_text(wire, request=body) + "\n"
    return conversation_text(wire, answer=body) + "\n"


def frames(case: Path) -> str:
    """One text after the other, each below who has sent the frame."""
    told: list[str] = []
    earlier: list[Frame] = []
    for line in case.read_text().splitlines():
        who, value = json.loads(line)
        frame = json.dumps(value, ensure_ascii=False).encode()
        told.append(f"--- {who}\n{frame_text(frame, turn_before(frame, earlier))}\n")
        earlier.append(Frame(who == "client", frame))
    return "".join(told) + f"--- the socket\n{socket_text(earlier)}\n"


def translation(case: Path) -> str:
    """The request, and below it the answer."""
    given = json.loads(case.read_text())
    said, sent, answered, heard = (
        json.dumps(given[name]).encode() for name in ("said", "sent", "answered", "heard")
    )
    noted = {CHANGES: given["changes"], SAID: said, HEARD: heard}
    request, answer = request_translation(noted, sent, "example.org"), answer_translation(noted, answered)
    return f"{request}\n--- answer\n{answer}\n"


if __name__ == "__main__":
    for one in cases():
        expected(one).write_text(text_of(one))
