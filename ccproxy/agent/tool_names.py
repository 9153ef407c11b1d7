"""What the tools of a client are called in Claude Code."""

from collections.abc import Collection

from ccproxy.formats.names import Renamer

SERVER = "client"
PREFIX = f"mcp__{SERVER}__"
"""How Claude Code calls the tools of the MCP server on which the client's tools are."""

LONGEST = 128 - len(PREFIX)
"""Characters that the Messages API leaves to a tool's name behind that."""


def wire_names(names: Collection[str]) -> dict[str, str]:
    """The client's names by those that Claude Code sees, without the prefix."""
    renamer = Renamer(LONGEST, list(names))
    return {renamer.wire(name): name for name in names}
