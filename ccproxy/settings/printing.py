"""Settings as text: values in TOML, the effective settings, the starter file."""

import json
import re
from collections.abc import Iterator, Mapping

from ccproxy.settings.layout import LEAVES, TABLES, Leaf, put
from ccproxy.settings.tree import Settings

MASK = "********"

_STARTER = """\
# Settings of ccproxy. Every key stands here with its default: take the "#" away to change one.
# An empty text ("") unsets an optional key. The command line and the environment win over this file;
# "ccproxy config show --sources" says what is in effect and where it came from.
"""


def plain(settings: Settings) -> dict[str, object]:
    """Dotted keys and their values as TOML knows them, None where unset, secrets masked."""
    dumped = settings.model_dump(mode="json", exclude_none=True)
    return {key: _mask(_at(dumped, key), leaf) for key, leaf in LEAVES.items()}


def nested(values: Mapping[str, object]) -> dict[str, object]:
    """Dotted keys as a tree of dicts."""
    tree: dict[str, object] = {}
    for key, value in values.items():
        put(tree, key.split("."), value)
    return tree


def _at(tree: object, key: str) -> object:
    for name in key.split("."):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return int(tree) if isinstance(tree, float) and tree.is_integer() else tree


def _mask(value: object, leaf: Leaf) -> object:
    if not leaf.secret or value is None:
        return value
    return dict.fromkeys(value, MASK) if isinstance(value, Mapping) else MASK


def toml_value(value: object) -> str:
    """A value as TOML writes it on one line; None, which TOML does not have, as the empty text."""
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case str():
            # JSON's escapes are TOML's too, but JSON lets DEL through and TOML does not.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            pairs = ", ".join(f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list():
            return f"[{', '.join(toml_value(item) for item in value)}]"
    return repr(value)


def toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)


def effective(settings: Settings, sources: Mapping[str, str] | None = None) -> str:
    """The settings as a TOML file; with `sources`, each key says where its value came from."""
    values = plain(settings)
    lines: list[str] = []
    for table, leaves in _by_table():
        lines += ["", f"[{table}]"]
        for leaf in leaves:
            line = f"{leaf.name} = {toml_value(values[leaf.key])}"
            if values[leaf.key] is None:
                line = f"# {leaf.name} is not set" + (f" ({leaf.unset})" if leaf.unset else "")
            lines.append(f"{line:<46}  # {sources[leaf.key]}" if sources else line)
    return "\n".join(lines[1:]) + "\n"


def starter() -> str:
    """A file with every key in a comment, with its default and what it means."""
    values = plain(Settings())
    lines = [_STARTER]
    for table, leaves in _by_table():
        lines += [f"# {TABLES[table].__doc__}", f"[{table}]", ""]
        for leaf in leaves:
            lines += [f"# {leaf.field.description}", f"# Allowed: {leaf.kind.allowed}"]
            if leaf.optional and leaf.unset:
                lines.append(f"# Unset: {leaf.unset}")
            lines += [f"#{leaf.name} = {toml_value(values[leaf.key])}", ""]
    return "\n".join(lines)


def _by_table() -> Iterator[tuple[str, list[Leaf]]]:
    for table in TABLES:
        if leaves := [leaf for leaf in LEAVES.values() if leaf.table == table]:
            yield table, leaves
