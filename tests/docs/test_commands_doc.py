"""docs/commands.md has every command and option."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from ccproxy.cli.root import app
from tests.docs.pages import page, section

PAGE = page("commands")


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(f"{name} {word}", inner)


EVERY = dict(commands("ccproxy", get_command(app)))


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_a_section_with_its_help(name: str) -> None:
    command = EVERY[name]
    arguments = [p.name.upper() for p in command.params if p.param_type_name == "argument"]
    text = section(PAGE, f"### `{' '.join([name, *arguments])}`")
    assert command.help in text
    for parameter in command.params:
        for spelling in (*parameter.opts, *parameter.secondary_opts):
            assert f"`{spelling}" in text or f"`{spelling.upper()}" in text
        assert (parameter.help or "") in text


def test_the_settings_behind_the_options_of_serve() -> None:
    text = section(PAGE, "### `ccproxy serve`")
    assert "| `--port …` |" in text
    assert "Setting: `server.port`." in text
    without = [line for line in text.splitlines() if line.startswith("| `--") and "Setting:" not in line]
    assert [line.split("`")[1] for line in without] == ["--config …"]
