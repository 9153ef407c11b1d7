"""Golden cases of what becomes of the lines that Claude Code writes.

`agent/<case>.jsonl` are the lines of one or more turns, `<case>.to-<mode>.json` the answers that they make,
one after the other: the events of each, the message that they tell, and what ended it. The lines were cut
down from those of Claude Code 2.1.330. `scripts/golden` writes what stands beside.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ccproxy.agent.answer import Answer
from ccproxy.agent.message import Collector
from ccproxy.agent.modes import ModeName
from ccproxy.conversation.parts import JsonObject

HERE = Path(__file__).parent / "agent"
MODES: dict[str, tuple[ModeName, bool]] = {
    "forward": ("forward", True),
    "formatted": ("formatted", True),
    "formatted-compact": ("formatted", False),
    "ignore": ("ignore", True),
}
TOOLS = ("get_weather",)
"""What the client runs itself."""


@dataclass(frozen=True)
class AgentCase:
    """The lines of one file, and one mode."""

    given: Path
    mode: str

    @property
    def expected(self) -> Path:
        return self.given.with_suffix(f".to-{self.mode}.json")

    @property
    def name(self) -> str:
        return f"{self.given.stem}-{self.mode}"


def agent_cases() -> list[AgentCase]:
    return [AgentCase(given, mode) for given in sorted(HERE.glob("*.jsonl")) for mode in MODES]


def read(case: AgentCase) -> list[tuple[Answer, list[JsonObject]]]:
    """Every answer with its events; the lines after the end of one are for the next."""
    lines = [json.loads(line) for line in case.given.read_text().splitlines()]
    found: list[tuple[Answer, list[JsonObject]]] = []
    given: set[str] = set()
    for line in lines:
        if not found or found[-1][0].ended:
            given |= {call["id"] for answer, _ in found for call in answer.calls}
            found.append((Answer(*MODES[case.mode], TOOLS, answered=given), []))
        answer, events = found[-1]
        events += answer.take(line)
    return found


def answers(case: AgentCase) -> str:
    """What the lines become, as text to compare and to read: an event is a line."""
    return "[\n" + ",\n".join(_written(*one) for one in read(case)) + "\n]\n"


def _written(answer: Answer, events: list[JsonObject]) -> str:
    collector = Collector()
    for event in events:
        collector.take(event)
    lines = ",\n   ".join(json.dumps(event, ensure_ascii=False) for event in events)
    message = json.dumps(collector.message(), indent=1, ensure_ascii=False).replace("\n", "\n  ")
    failure = json.dumps(asdict(answer.failure) if answer.failure else None, ensure_ascii=False)
    return (
        f' {{\n  "events": [\n   {lines}\n  ],\n  "message": {message},\n  "failure": {failure},\n'
        f'  "calls": {json.dumps(answer.calls)},\n  "ended": {json.dumps(answer.ended)}\n }}'
    )
