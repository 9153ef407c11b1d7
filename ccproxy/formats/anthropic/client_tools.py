"""The tools that Anthropic defined and the client runs, spelled out for providers that do not know them.

Their input is fixed (tool reference, read 2026-11-22); the words are ours.
"""

from dataclasses import dataclass
from typing import Any

from ccproxy.conversation.parts import JsonObject


@dataclass(frozen=True, slots=True)
class Defined:
    name: str
    description: str
    schema: JsonObject


def find(kind: str) -> Defined | None:
    """By the tool's `type`, whatever its date."""
    return next((tool for start, tool in _BY_TYPE.items() if kind.startswith(start)), None)


def _schema(required: list[str], **properties: JsonObject) -> JsonObject:
    return {"type": "object", "properties": properties, "required": required}


def _string(description: str, **more: Any) -> JsonObject:
    return {"type": "string", "description": description, **more}


_BASH = Defined(
    "bash",
    "Runs a command in a bash session that lasts, and gives its output.",
    _schema(
        [],
        command=_string("The command to run; needed unless restart is true."),
        restart={"type": "boolean", "description": "Starts the session anew instead."},
    ),
)


def _file_commands(*commands: str) -> JsonObject:
    return _schema(
        ["command", "path"],
        command=_string("What to do.", enum=list(commands)),
        path=_string("Absolute path of the file or directory."),
        file_text=_string("For create: the whole text of the new file."),
        old_str=_string("For str_replace: the text to replace, which must occur exactly once."),
        new_str=_string("For str_replace: what to put in its place."),
        insert_line={"type": "integer", "description": "For insert: the line after which, 0 for the start."},
        insert_text=_string("For insert: the text."),
        view_range={
            "type": "array",
            "items": {"type": "integer"},
            "description": "For view: first and last line, counted from 1; -1 is the end of the file.",
        },
    )


_EDITOR = "Views, creates and edits text files."
_FIRST_EDITOR = Defined(
    "str_replace_editor", _EDITOR, _file_commands("view", "create", "str_replace", "insert", "undo_edit")
)
_NEXT_EDITOR = Defined(
    "str_replace_based_edit_tool", _EDITOR, _file_commands("view", "create", "str_replace", "insert")
)


_MEMORY = Defined(
    "memory",
    "Keeps notes in files under /memories, which last from one conversation to the next.",
    _schema(
        ["command"],
        command=_string("What to do.", enum=["view", "create", "str_replace", "insert", "delete", "rename"]),
        path=_string("Path of the file or directory, under /memories."),
        file_text=_string("For create: the whole text of the file."),
        old_str=_string("For str_replace: the text to replace."),
        new_str=_string("For str_replace: what to put in its place."),
        insert_line={"type": "integer", "description": "For insert: the line after which, 0 for the start."},
        insert_text=_string("For insert: the text."),
        view_range={
            "type": "array",
            "items": {"type": "integer"},
            "description": "For view: first and last line, counted from 1.",
        },
        old_path=_string("For rename: the path so far."),
        new_path=_string("For rename: the path from now on."),
    ),
)

_BY_TYPE = {
    "bash_": _BASH,
    "text_editor_2024": _FIRST_EDITOR,
    "text_editor_20250124": _FIRST_EDITOR,
    "text_editor_": _NEXT_EDITOR,
    "memory_": _MEMORY,
}
"""The first beginning that fits counts: the older editors have another name, and can undo."""
