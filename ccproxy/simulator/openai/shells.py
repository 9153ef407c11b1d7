"""Shell tools of coding agents: with one of them on offer, `sim:tool` runs a command that does no harm.

So a real agent can finish a tool turn. Names and inputs as Codex CLI 0.45, 0.98 and 0.169 offer them
(measured 2026-11-22).
"""

from dataclasses import replace
from typing import Any

from ccproxy.simulator.script import Tool

COMMAND = "echo hello from the simulator"
INPUTS: dict[str, dict[str, Any]] = {
    "shell": {"command": ["bash", "-lc", COMMAND]},
    "shell_command": {"command": COMMAND},
    "exec_command": {"cmd": COMMAND},
}
PROGRAMS = {"exec": f'const r = await tools.exec_command({{"cmd":"{COMMAND}"}}); text(r.output);'}
"""Tools that take JavaScript instead of JSON."""


def first(tools: list[Tool]) -> list[Tool]:
    """The same tools, the shells before the others, with an input that works."""
    known = [_prepared(tool) for tool in tools]
    return sorted(known, key=lambda tool: tool.name not in INPUTS and tool.name not in PROGRAMS)


def _prepared(tool: Tool) -> Tool:
    if tool.schema is None and tool.name in PROGRAMS:
        return replace(tool, example=PROGRAMS[tool.name])
    if tool.schema is not None and tool.name in INPUTS:
        return replace(tool, schema={"const": INPUTS[tool.name]})
    return tool
