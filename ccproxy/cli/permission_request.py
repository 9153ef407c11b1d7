"""A tool that asks to be allowed, as the server tells of it, and what a person may answer."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ccproxy.cli.permission_text import unseen
from ccproxy.conversation.parts import JsonObject


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a permission. `raw` is what the server sent; texts may hold anything."""

    id: str
    tool: str
    input: Any
    session: str
    cwd: str
    status: str
    created_at: datetime
    expires_at: datetime | None
    decision: JsonObject
    raw: JsonObject

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def pending(self) -> bool:
        return self.status == "pending"


def read_request(found: Any) -> Request:
    """The request in a JSON value of the server's. Raises ValueError for what is none."""
    if not isinstance(found, dict) or not isinstance(found.get("id"), str) or "status" not in found:
        raise ValueError("not a permission request")
    decision = found.get("decision")
    return Request(
        found["id"],
        str(found.get("tool_name") or "?"),
        found.get("input"),
        str(found.get("session_id") or ""),
        str(found.get("cwd") or ""),
        str(found["status"]),
        _moment(found.get("created_at")) or datetime.now(UTC),
        _moment(found.get("expires_at")),
        decision if isinstance(decision, dict) else {},
        found,
    )


def _moment(written: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def in_brief(request: Request) -> str:
    """The tool and what it is about, for a line in a list."""
    given = request.input if isinstance(request.input, dict) else {}
    named = ("command", "file_path", "notebook_path", "path", "url", "pattern", "query")
    about = next((given[key] for key in named if isinstance(given.get(key), str)), None)
    if about is None:
        about = json.dumps(request.input, ensure_ascii=False) if request.input else ""
    first, *more = about.split("\n")
    return f"{request.tool}: {first}{' ...' if more else ''}" if about else request.tool


def as_json(value: Any) -> str:
    """A JSON text for people to read and edit: what would not be seen in it is written as `\\uXXXX`."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub(r"[^\n -~]", lambda found: _escaped(found[0]) if unseen(found[0]) else found[0], text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) != 0x7F else r"\u007f"


class BadInputError(ValueError):
    """An edited input that cannot be sent; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def read_input(text: str, before: Any) -> Any:
    """The value of an edited JSON text. Raises BadInputError; an object must stay one."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        # some of Python's messages end in "at", for a place to follow
        what = error.msg.removesuffix(" at").removesuffix(" starting")
        message = f"Line {error.lineno}, column {error.colno}: {what}."
        raise BadInputError(message, error.lineno, error.colno) from None
    except RecursionError:
        raise BadInputError("It is nested too deeply.") from None
    if isinstance(before, dict) and not isinstance(value, dict):
        raise BadInputError("The input of a tool is a JSON object: { ... }.")
    return value


def _refuse(constant: str) -> None:
    raise BadInputError(f"{constant} is no JSON.")


def allow(request: Request, *, value: Any = None, edited: bool = False, session: bool = False) -> JsonObject:
    """The answer that lets a tool run: with the input `value` where it was edited."""
    answer: JsonObject = {"allowed": True}
    if edited and value != request.input:
        answer["updated_input"] = value
    if session:
        answer["remember"] = "session"
    return answer


def deny(message: str = "") -> JsonObject:
    """The answer that does not; the model reads the message."""
    return {"allowed": False, "message": message.strip()} if message.strip() else {"allowed": False}
