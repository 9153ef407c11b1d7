"""The files that a tool call names, and the patterns of rules for them.

Patterns are those of Claude Code: gitignore's, from the root (`//`), the home directory (`~/`) or the call's
working directory (code.claude.com/docs/en/permissions, read 2026-11-22).
"""

import os.path
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FIELDS = ("file_path", "notebook_path", "path")
SEARCHING = frozenset({"Grep", "Glob", "LS"})
"""Tools that look into the working directory when no path is given."""

_PIECE = re.compile(r"\\.|\*+|\[[!^]?\]?[^\]/]*\]|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """An absolute, normalised path, with the directories that patterns begin at.

    `cwd` is None when nobody knows it; `is_sure` is False when the path would have needed it.
    """

    path: str
    cwd: str | None
    home: str
    is_sure: bool = True


def places(tool: str, arguments: Any, cwd: str | None, home: str) -> tuple[Place, ...]:
    """Where the files are that a call names: as it names them, and where links lead. Looks at the disk."""
    named = [arguments.get(field) for field in FIELDS] if isinstance(arguments, dict) else []
    given = [path for path in named if isinstance(path, str) and path]
    if not given and tool in SEARCHING and cwd:
        given = [cwd]
    found = []
    for path in given:
        if path == "~" or path.startswith("~/"):
            path = home + path[1:]
        sure = cwd is not None or path.startswith("/")
        whole = posixpath.normpath(posixpath.join("/", cwd or "", path))
        found.append(Place(whole, cwd and posixpath.normpath(cwd), home, sure))
        # not the normalised path: behind a link `..` leads elsewhere
        real = os.path.realpath(posixpath.join("/", cwd or "", path))
        found.append(Place(real, cwd and os.path.realpath(cwd), os.path.realpath(home), sure))
    return tuple(dict.fromkeys(found))


def path_matcher(pattern: str, *, allows: bool) -> Callable[[Place], bool]:
    """Whether a place is one that the pattern means. Raises ValueError for a pattern that is none."""
    begins, rest, floats = _anchor(pattern, allows)
    if not rest.strip("/") or ".." in rest.split("/"):
        raise ValueError("write a path without .., such as src/**, ~/notes/*.md or //etc/hosts")
    # what denies a directory denies what is in it, in whatever case a file system takes for the same
    deep, flags = ("", re.DOTALL) if allows else ("(?:/.*)?", re.DOTALL | re.IGNORECASE)
    try:
        below = re.compile(_regex(rest) + deep, flags)
        anywhere = re.compile(f"(?:.*/)?{_regex(rest)}{deep}", flags)
    except re.error:
        raise ValueError("its [ ] cannot be read") from None

    def matches(place: Place) -> bool:
        anchor = {"root": "/", "home": place.home, "cwd": place.cwd}[begins]
        unknown = anchor is None or not place.is_sure
        if unknown and allows:
            return False
        name = _relative(place.path, "/" if anchor is None or unknown else anchor)
        return name is not None and bool((anywhere if floats or unknown else below).fullmatch(name))

    return matches


def _anchor(pattern: str, allows: bool) -> tuple[str, str, bool]:
    """Where a pattern begins, what is left of it, and whether it holds at any depth below."""
    if pattern.startswith("!"):
        raise ValueError("a rule cannot make exceptions with !")
    if pattern.startswith("//"):
        return "root", pattern[2:], False
    if pattern.startswith("~/"):
        return "home", pattern[2:], False
    if pattern.startswith("/"):
        return "cwd", pattern[1:], False
    if pattern.startswith("./"):
        return "cwd", pattern[2:], False
    names = pattern.rstrip("/").split("/")
    one_directory = len(names) == 2 and names[1] == "**"
    return "cwd", pattern, len(names) == 1 or (one_directory and not allows)


def _regex(pattern: str) -> str:
    """gitignore's pattern for a whole path: `*` within a name, `**` for directories of any depth."""
    names = (pattern + "**" if pattern.endswith("/") else pattern).split("/")
    text = ""
    for name in names[:-1]:
        text += "(?:[^/]+/)*" if name == "**" else f"{_name(name)}/"
    if names[-1] != "**":
        return text + _name(names[-1])
    return f"{text.removesuffix('/')}(?:/.*)?" if text.endswith("/") else f"{text}.*"


def _name(pattern: str) -> str:
    text = ""
    for piece in _PIECE.findall(pattern):
        if piece.startswith("*"):
            text += "[^/]*"
        elif piece == "?":
            text += "[^/]"
        elif piece.startswith("[") and len(piece) > 2:
            negated = "^" if piece[1] in "!^" else ""
            text += f"[{negated}{piece[1 + len(negated) : -1].replace(chr(92), chr(92) * 2)}]"
        else:
            text += re.escape(piece[-1])
    return text


def _relative(path: str, directory: str) -> str | None:
    """The path below a directory, "" for the directory itself, None for a path elsewhere."""
    if path == directory:
        return ""
    begin = directory.rstrip("/") + "/"
    return path[len(begin) :] if path.startswith(begin) else None
