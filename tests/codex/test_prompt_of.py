from typing import Any

import pytest

from ccproxy.codex.prompt_of import Prompt, prompt_of
from tests.support.fake_codex import message

TOOLS = {"type": "additional_tools", "role": "developer", "tools": [{"type": "namespace"}]}
OURS = message("developer", "Be brief.\n")
SKILLS = "<skills_instructions>\n## Skills\n</skills_instructions>"
PERMISSIONS = "<permissions instructions>\nread only\n</permissions instructions>"
ADDED = message("developer", SKILLS, PERMISSIONS)
MODE = message("developer", "<collaboration_mode># Default</collaboration_mode>")
AGENTS = message("user", "# AGENTS.md instructions for here\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>")
HELLO = message("user", "<environment_context>x</environment_context>", "hello")


@pytest.mark.parametrize(
    "items",
    [
        [OURS],
        [TOOLS, OURS, ADDED, MODE, AGENTS, HELLO],
        [OURS, message("developer", "You are `/root`."), HELLO],
        [message("developer", "Be ", "brief.\n", SKILLS), HELLO],
        [{"role": "developer", "content": "Be brief.\n"}, HELLO],
        [TOOLS, {**OURS, "content": [None, {"type": "input_image"}, *OURS["content"]]}],
    ],
)
def test_the_first_message_of_the_developer(items: list[Any]) -> None:
    assert prompt_of({"input": items}) == Prompt("Be brief.\n", "developer message")
    assert prompt_of({"instructions": "", "input": items}) == Prompt("Be brief.\n", "developer message")


def test_instructions_come_first() -> None:
    body = {"instructions": " Be kind. ", "input": [ADDED, OURS, HELLO]}
    assert prompt_of(body) == Prompt(" Be kind. ", "instructions")


@pytest.mark.parametrize("text", ["<b>Be</b> brief.", "Be brief: <tag>x</tag>", "<rules>Be</rules> brief."])
def test_tags_within_a_prompt(text: str) -> None:
    assert prompt_of({"input": [message("developer", text)]}) == Prompt(text, "developer message")


@pytest.mark.parametrize(
    "items",
    [
        [],
        None,
        "hello",
        [TOOLS, HELLO],
        [ADDED, HELLO],
        [ADDED, OURS, HELLO],
        [HELLO, OURS],
        [message("developer", PERMISSIONS, "Be brief."), HELLO],
        [message("developer", "  ")],
        [message("developer")],
        [{"type": "message", "role": "developer", "content": 3}],
        [None, 3],
    ],
)
def test_no_prompt(items: Any) -> None:
    assert prompt_of({"input": items}) is None
    assert prompt_of({"instructions": ["x"], "input": items}) is None


def test_nothing_at_all() -> None:
    assert prompt_of({}) is None
