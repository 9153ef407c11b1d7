"""Where things are on the local app."""

PREFIX = "/_agent"
"""The base URL of the backend `sdk`."""

MCP = "/mcp"
"""The MCP server for everybody's Claude Code."""

ASK, TOOLS = "/_worker/mcp", "/_worker/tools"
"""The MCP servers for our own processes, each known by its token: permissions, and the client's tools."""
