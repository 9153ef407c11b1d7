"""Changing a user's TOML file: one key, with the comments and all other keys kept."""

import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from ccproxy.settings.errors import Problem, SettingsError
from ccproxy.settings.layout import LEAVES, Kind, Leaf, put
from ccproxy.settings.places import config_dir
from ccproxy.settings.printing import toml_key, toml_value
from ccproxy.settings.sources import find_config, locate, parse_toml, read_text, resolve
from ccproxy.settings.texts import from_text


def file_to_edit(config: Path | None, environ: Mapping[str, str]) -> Path:
    """The file asked for, else the one that is in use, else the user's own, which may not exist yet."""
    return config or find_config(Path.cwd(), environ) or config_dir(environ) / "config.toml"


def set_key(path: Path, key: str, text: str, environ: Mapping[str, str], *, label: str) -> None:
    """Sets one dotted key to a value given as text, if the file is valid with it.

    Below a key that holds a table, `key` may go on with an entry's name: `intercept.hosts.api.openai.com`.
    Raises SettingsError (a wrong new value under `label`) or OSError; the file is then as it was.
    """
    problems: list[Problem] = []
    before = read_text(path, str(path), problems) if path.exists() else ""
    if before is None:
        raise SettingsError(problems)
    try:
        leaf, place, kind = _find(key)
        value = from_text(text, kind)
    except ValueError as error:
        raise SettingsError([Problem(label, key, str(error))]) from None
    after = _edited(before, place, value)
    if after is None:
        parse_toml(before, str(path), problems)
        raise SettingsError(
            problems or [Problem(str(path), key, "cannot be set in this file: edit it by hand")]
        )
    layer = parse_toml(after, str(path), problems)
    layer[leaf.key] = layer[leaf.key]._replace(label=label)
    resolve([layer], problems, environ)
    write_private(path, after)


def _find(key: str) -> tuple[Leaf, list[str], Kind]:
    """The key, or the entry below it, that `key` names: the path to it and what may stand there."""
    for leaf in LEAVES.values():
        entry = key.removeprefix(f"{leaf.key}.")
        if leaf.kind.container is dict and entry not in ("", key):
            return leaf, [*leaf.key.split("."), entry], leaf.kind.inside(entry)
    leaf = locate(key.split("."))
    return leaf, leaf.key.split("."), leaf.kind


def _edited(before: str, place: list[str], value: object) -> str | None:
    """The text with the value in its place, or None when that would change anything else."""
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    for edit in (_with_new_table, _with_new_key, _with_changed_key):
        try:
            wanted = tomllib.loads(before)
            put(wanted, place, value)
            after = edit(before, place, value)
            if tomllib.loads(after) == wanted:
                return after
        except (ValueError, TypeError, AttributeError, RecursionError, TOMLKitError):
            continue  # no TOML, or not with this edit: the table or the key is there, or a value in its way
    return None


def _with_new_table(before: str, place: list[str], value: object) -> str:
    """Puts the table at the end, which is no TOML when the file has it already."""
    *table, name = map(toml_key, place)
    gap = "\n" if before.strip() else ""
    return f"{before.rstrip()}{gap}{gap}[{'.'.join(table)}]\n{name} = {toml_value(value)}\n"


def _with_new_key(before: str, place: list[str], value: object) -> str:
    """Puts the key below its table's header. tomlkit would put it after the table's last comment, which
    more often speaks of the next table; and it is no TOML when the table has the key already."""
    *table, name = map(toml_key, place)
    lines = before.splitlines(keepends=True)
    headers = (
        at for at, line in enumerate(lines) if line.partition("#")[0].strip() == f"[{'.'.join(table)}]"
    )
    at = next(headers, None)
    if at is None:
        raise ValueError("no such header")
    end = "\r\n" if lines[at].endswith("\r\n") else "\n"
    lines[at] = f"{lines[at].rstrip()}{end}{name} = {toml_value(value)}{end}"
    return "".join(lines)


def _with_changed_key(before: str, place: list[str], value: object) -> str:
    document = tomlkit.parse(before)
    put(document, place, tomlkit.value(toml_value(value)))
    return tomlkit.dumps(document)


def write_private(path: Path, text: str) -> None:
    """Replaces a file at once and for its owner only (0600); a link keeps pointing to where it did."""
    target = path.resolve()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
