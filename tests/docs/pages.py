"""The pages of the docs, as the tests read them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "certs" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BEFORE_A_COMMAND = frozenset(("$", "export", "env", "uv", "run", "python3", "-m"))


def names(paths: list[Path]) -> list[str]:
    """Paths as test ids."""
    return [str(path.relative_to(ROOT)) for path in paths]


def page(name: str) -> str:
    """The text of `docs/<name>.md`."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def blocks(text: str, *languages: str) -> list[str]:
    """What stands in the fenced blocks of these languages."""
    return [body for language, body in _FENCE.findall(text) if language in languages]


def without_blocks(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def section(text: str, heading: str) -> str:
    """What stands below a heading line, up to the next one of its level or above."""
    level = heading.partition(" ")[0]
    _, _, below = f"\n{text}".partition(f"\n{heading}\n")
    return re.split(rf"^#{{2,{len(level)}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of every shell line in the fenced blocks, of command substitutions, too."""
    for body in blocks(text, "sh", "console"):
        for line in body.replace("\\\n", " ").splitlines():
            for command in (line, *re.findall(r"\$\((.*?)\)", line)):
                if words := shlex.split(command, comments=True):
                    yield words


def assignments(words: list[str]) -> dict[str, str]:
    """The `NAME=value` words in front of a command."""
    found = {}
    for word in words:
        if match := re.fullmatch(r"(\w+)=(.*)", word, re.DOTALL):
            found[match[1]] = match[2]
        elif word not in _BEFORE_A_COMMAND:
            break
    return found


def arguments_of(program: str, words: list[str]) -> list[str] | None:
    """The arguments that a shell line gives to `program`; None when it runs something else."""
    for position, word in enumerate(words):
        if word == program:
            return words[position + 1 :]
        if word not in _BEFORE_A_COMMAND and not re.fullmatch(r"\w+=.*", word, re.DOTALL):
            return None
    return None
