"""What a SELECT on the access log may name: the log itself, and functions that tell nothing of this machine.

DuckDB's own views, settings and table functions show paths and more of them come with every version, so what
is allowed is listed, in the tree that DuckDB's parser makes of the text (read 2026-11-23, DuckDB 2.0.0).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from ccproxy.records.filters import QueryError
from ccproxy.records.schema import TABLE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE_FUNCTIONS = frozenset(("range", "generate_series", "unnest", "repeat", "json_each", "json_tree"))
"""The functions that may stand behind FROM."""

TELLING = frozenset(("current_setting", "getenv", "json_serialize_plan", "json_execute_serialized_sql"))
"""Functions anywhere else that read settings, or that look at SQL which stands in a text."""


def check(reader: "DuckDBPyConnection", text: str) -> None:
    """QueryError unless the text is one SELECT that names only what is allowed."""
    import duckdb

    statements = reader.extract_statements(text)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("Only a single SELECT is allowed.")
    try:
        ((tree,),) = reader.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchall()
        parsed = msgspec.json.decode(tree)
    except (RecursionError, msgspec.DecodeError):
        raise QueryError("That is nested too deeply.") from None
    if parsed["error"]:
        raise QueryError("Only a single SELECT is allowed.")
    views = {name for (name,) in reader.execute("SELECT lower(view_name) FROM duckdb_views()").fetchall()}
    for node in nodes(parsed):
        check_node(node, views)


def check_node(node: dict[str, Any], views: set[str]) -> None:
    """One node of the tree; `views` are DuckDB's own."""
    match node.get("type"):
        case "BASE_TABLE":
            name = node["table_name"].lower()
            # a name without a schema is the log, a part of the same SELECT, or an error
            if node["catalog_name"] or node["schema_name"] not in ("", "main") or name in views:
                raise refused(node["table_name"])
        case "TABLE_FUNCTION":
            if node["function"].get("function_name", "").lower() not in TABLE_FUNCTIONS:
                raise refused(f"{node['function'].get('function_name')}()")
        case "SHOW_REF":
            if not node.get("query"):
                raise QueryError(f"Only DESCRIBE and SUMMARIZE of {TABLE} are allowed, not SHOW.")
        case "FUNCTION":
            if node["function_name"].lower() in TELLING:
                raise refused(f"{node['function_name']}()")


def refused(name: str) -> QueryError:
    allowed = ", ".join(sorted(TABLE_FUNCTIONS))
    return QueryError(f"{name} is out of reach here. FROM may name {TABLE} and the functions {allowed}.")


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of a tree of JSON."""
    waiting = [tree]
    while waiting:
        match waiting.pop():
            case dict() as node:
                yield node
                waiting.extend(node.values())
            case list() as several:
                waiting.extend(several)
