"""What a page tells people to type can be typed."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from ccproxy.cli.root import app
from ccproxy.settings import Settings, load
from tests.docs.pages import PAGES, arguments_of, assignments, blocks, command_lines, names

each_page = pytest.mark.parametrize("path", PAGES, ids=names(PAGES))


def parse(arguments: list[str]) -> str:
    """Reads a command line as the program would and runs nothing; returns the name of the command."""
    name, command, context = "ccproxy", get_command(app), None
    try:
        while True:
            context = command.make_context(name, list(arguments), parent=context)
            if not hasattr(command, "resolve_command"):
                return str(name)
            rest: list[Any] = [*context._protected_args, *context.args]
            name, command, arguments = command.resolve_command(context, rest)
    except typer.Exit:
        # `--version`, `--help`
        return str(name)


@each_page
def test_command_lines_of_ours_parse(path: Path) -> None:
    for words in command_lines(path.read_text(encoding="utf-8")):
        if (arguments := arguments_of("ccproxy", words)) is not None:
            parse(arguments)


def test_a_wrong_command_line_does_not() -> None:
    assert parse(["--port", "8001"]) == "serve"
    for wrong in (["--prot", "1"], ["nonsense"], ["config", "set", "server.port"], ["--port", "many"]):
        with pytest.raises(Exception, match=r"(?i)no such|missing|valid"):
            parse(wrong)


def test_enough_command_lines_are_found() -> None:
    lines = [words for path in PAGES for words in command_lines(path.read_text(encoding="utf-8"))]
    assert sum(arguments_of("ccproxy", words) is not None for words in lines) > 15


@each_page
def test_settings_given_by_variables_are_valid(path: Path, tmp_path: Path) -> None:
    for words in command_lines(path.read_text(encoding="utf-8")):
        ours = {
            name: value.replace("…", "x")
            for name, value in assignments(words).items()
            if name.lower().partition("__")[0] in Settings.model_fields
        }
        load(environ={"HOME": str(tmp_path), **ours}, cwd=tmp_path)


@each_page
def test_toml_examples_are_valid_settings(path: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(path.read_text(encoding="utf-8"), "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(block)
        assert tomllib.loads(block)
        load(config=file, environ={"HOME": str(tmp_path)}, cwd=tmp_path)


@each_page
def test_settings_that_a_page_names_exist(path: Path) -> None:
    from ccproxy.settings.layout import LEAVES, TABLES

    tables = "|".join(re.escape(name) for name in TABLES if name)
    for name in re.findall(rf"`((?:{tables})\.[a-z_.]+)\b", path.read_text(encoding="utf-8")):
        key = name.rstrip(".")
        known = key in LEAVES or key in TABLES or key.startswith("intercept.hosts.")
        assert known or key.endswith((".toml", ".py", ".md")), key
