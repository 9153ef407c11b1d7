"""Reading the settings: five layers, merged key by key, and for every key the layer that gave it.

Command line > environment > `.env` > one TOML file > default. A list or a table of free keys (hosts,
environment variables) counts as one value: the highest layer that gives it gives all of it.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import SecretStr, ValidationError

from ccproxy.settings.errors import Problem, SettingsError, dotted, explain, unknown_key
from ccproxy.settings.layout import LEAVES, TABLES, Leaf, put
from ccproxy.settings.places import access_log_path, config_dir, home_dir
from ccproxy.settings.texts import from_text
from ccproxy.settings.tree import Settings


class Given(NamedTuple):
    """A value and where it came from, for people: `--port`, `environment SERVER__PORT`, a file's path."""

    value: object
    label: str


type Layer = dict[str, Given]


@dataclass(frozen=True)
class Loaded:
    """The settings, the source of every dotted key, and the TOML file that was read, if there was one."""

    settings: Settings
    sources: Mapping[str, str]
    config_file: Path | None


def load(
    cli: Mapping[str, object] = MappingProxyType({}),
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Loaded:
    """Reads all sources. Raises `SettingsError` with everything that is wrong, and nothing else.

    `cli` maps dotted keys to values, best `Given` with the option's name; None means the option was not
    given, and texts are read like those of the environment. `environ` and `cwd` default to the process's
    own. With an `environ` that names neither HOME nor XDG_CONFIG_HOME, no file of the user's is read.
    """
    if environ is None:
        environ = {"HOME": os.path.expanduser("~"), **os.environ}
    folder = cwd or Path.cwd()
    config_file = folder / config.expanduser() if config else find_config(folder, environ)
    problems: list[Problem] = []
    layers = [
        read_toml(config_file, problems) if config_file else {},
        _read_dotenv(folder / ".env", problems),
        _from_environ(environ, problems),
        _from_cli(cli, problems),
    ]
    settings, sources = resolve(layers, problems, environ)
    return Loaded(settings, MappingProxyType(sources), config_file)


def find_config(cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """The first TOML file there is, of those that are read without being asked for."""
    candidates = [cwd / ".ccproxy.toml", cwd / "ccproxy.toml"]
    if environ.get("HOME") or environ.get("XDG_CONFIG_HOME"):
        candidates.append(config_dir(environ) / "config.toml")
    return next((path for path in candidates if os.path.isfile(path)), None)


def resolve(
    layers: Iterable[Layer], problems: Sequence[Problem], environ: Mapping[str, str]
) -> tuple[Settings, dict[str, str]]:
    """Merges layers, the lowest first, and checks the outcome; `problems` are those of reading them."""
    merged: Layer = {"observability.duckdb_path": Given(access_log_path(environ), "default")}
    for layer in layers:
        merged |= layer
    tree: dict[str, object] = {}
    for key, given in merged.items():
        put(tree, key.split("."), given.value)
    sources = {key: merged[key].label if key in merged else "default" for key in LEAVES}
    try:
        settings = Settings.model_validate(tree, context={"home": str(home_dir(environ))})
    except ValidationError as error:
        # A rule between keys says nothing while one of them may not have been read.
        found = explain(error, sources, rules=not problems)
    else:
        if not problems:
            return settings, sources
        found = []
    # Outside the except block, so that no traceback carries the values that pydantic saw.
    raise SettingsError([*problems, *found])


def locate(parts: Sequence[str]) -> Leaf:
    """The key these parts name. Raises ValueError with what is wrong when they name none."""
    table = ""
    for depth, part in enumerate(parts, start=1):
        if part not in TABLES[table].model_fields:
            raise ValueError(unknown_key(table, part))
        key = ".".join(parts[:depth])
        if leaf := LEAVES.get(key):
            if depth < len(parts):
                raise ValueError(f"{key} has no keys below it: it is {leaf.kind.allowed}")
            return leaf
        table = key
    raise ValueError(f"is a table, not a value; its keys are: {', '.join(TABLES[table].model_fields)}")


def _from_cli(cli: Mapping[str, object], problems: list[Problem]) -> Layer:
    layer: Layer = {}
    for key, item in cli.items():
        value, label = item if isinstance(item, Given) else Given(item, "command line")
        if value is None:
            continue
        try:
            leaf = locate(key.split("."))
            text = str(value) if isinstance(value, Path) else value
            layer[key] = Given(from_text(text, leaf.kind) if isinstance(text, str) else text, label)
        except ValueError as error:
            problems.append(Problem(label, key, str(error)))
    return layer


def _from_environ(environ: Mapping[str, str], problems: list[Problem]) -> Layer:
    layer: Layer = {}
    # Names differ in case only rarely; when they do, the upper-case one sorts first and wins.
    for name in sorted(environ, reverse=True):
        if _is_ours(name):
            _read_variable(layer, name, environ[name], f"environment {name}", problems)
    return layer


def _is_ours(name: str) -> bool:
    table, separator, _ = name.lower().partition("__")
    return bool(separator) and table in Settings.model_fields


def _read_variable(layer: Layer, name: str, text: str, label: str, problems: list[Problem]) -> None:
    parts = name.lower().split("__")
    try:
        leaf = locate(parts)
        # `SERVER__PORT=` is how scripts spell "not given"; for a text the empty text is a value.
        if text or leaf.kind.base in (str, Path, SecretStr):
            layer[leaf.key] = Given(from_text(text, leaf.kind), label)
    except ValueError as error:
        problems.append(Problem(label, dotted(parts), str(error)))


def _read_dotenv(path: Path, problems: list[Problem]) -> Layer:
    """Our variables in a `.env`; other programs' lines, even broken ones, are none of our business."""
    if not os.path.isfile(path) or (text := read_text(path, ".env", problems)) is None:
        return {}
    from io import StringIO

    from dotenv.parser import parse_stream

    layer: Layer = {}
    for binding in parse_stream(StringIO(text)):
        line = binding.original.string.strip()
        name = binding.key or re.sub(r"^export\s+", "", line)
        if not _is_ours(name):
            continue
        if binding.key is None or binding.value is None:
            parts = re.split(r"[\s=]", name)[0].lower().split("__")
            problems.append(Problem(".env", dotted(parts), "is not written as NAME=value"))
        else:
            _read_variable(layer, binding.key, binding.value, ".env", problems)
    return layer


def read_toml(path: Path, problems: list[Problem]) -> Layer:
    text = read_text(path, str(path), problems)
    return {} if text is None else parse_toml(text, str(path), problems)


def parse_toml(text: str, label: str, problems: list[Problem]) -> Layer:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(
            Problem(f"{label}:{_position(str(error), text)}", "", f"broken TOML: {_bare(str(error))}")
        )
        return {}
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets a thousand deep
        problems.append(Problem(label, "", "broken TOML: a number too long or values nested too deeply"))
        return {}
    layer: Layer = {}
    for parts, value in _walk(data, ()):
        try:
            leaf = locate(parts)
            layer[leaf.key] = Given(value, label)
        except ValueError as error:
            problems.append(Problem(label, dotted(parts), str(error)))
    return layer


def _walk(data: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value with its path; a dict is walked into where the tree has a table, else it is a value."""
    for name, value in data.items():
        here = (*path, name)
        if isinstance(value, dict) and ".".join(here) in TABLES:
            yield from _walk(value, here)
        else:
            yield here, value


def _position(message: str, text: str) -> str:
    if found := re.search(r"\(at line (\d+), column (\d+)\)", message):
        return f"{found[1]}:{found[2]}"
    lines = text.split("\n")
    return f"{len(lines)}:{len(lines[-1]) + 1}"


def _bare(message: str) -> str:
    return re.sub(r" \(at [^()]*\)$", "", message)


def read_text(path: Path, label: str, problems: list[Problem]) -> str | None:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        problems.append(Problem(label, "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(Problem(f"{label}:{line}", "", "is not UTF-8 text"))
    return None
