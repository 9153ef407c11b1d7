"""Namespaces: groups of tools, whose calls name the group and the tool apart.

Nobody else has them, so a tool of a namespace is called `<namespace>__<tool>` inside.
"""

from collections.abc import Iterable

from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, Tool

_BETWEEN = "__"


def flat(namespace: str | None, name: str) -> str:
    """The one name of a tool."""
    return f"{namespace}{_BETWEEN}{name}" if namespace else name


class Namespaces:
    """Knows which of the client's tools are kept in a namespace."""

    def __init__(self, tools: Iterable[AnyTool]) -> None:
        self._spaces = {
            tool.name: tool.namespace for tool in tools if isinstance(tool, Tool) and tool.namespace
        }

    def fields(self, name: str) -> JsonObject:
        """`{"name"}` or `{"name", "namespace"}`, as the client knows the tool."""
        if space := self._spaces.get(name):
            return {"name": name.removeprefix(space + _BETWEEN), "namespace": space}
        return {"name": name}
