"""The shape of the access log: its columns, what they mean, and how an older file becomes a newer one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE = "access_log"
VERSIONS = "access_log_version"


@dataclass(frozen=True)
class Column:
    """One column: its type in DuckDB, what it says, and the version of the schema that brought it."""

    name: str
    type: str
    what: str
    since: int = 1


COLUMNS = (
    Column("request_id", "VARCHAR", "our id, as in `x-ccproxy-request-id`"),
    Column("started_at", "TIMESTAMP", "when the request came in, UTC"),
    Column("duration_ms", "DOUBLE", "from then to its end"),
    Column("first_byte_ms", "DOUBLE", "from then to the first byte of the answer"),
    Column("first_text_ms", "DOUBLE", "from then to the first text of a stream, after the thinking"),
    Column("longest_gap_ms", "DOUBLE", "longest silence in the answer"),
    Column("mode", "VARCHAR", "`reverse` or `intercept`"),
    Column("method", "VARCHAR", "method of the request; `WS` for a turn on a WebSocket"),
    Column("path", "VARCHAR", "its path, without the query"),
    Column("route", "VARCHAR", "the line of the routing table that it took"),
    Column("operation", "VARCHAR", "`messages`, `chat`, `responses`, `count_tokens`, `models` or `other`"),
    Column("client_format", "VARCHAR", "format that the client speaks"),
    Column("backend", "VARCHAR", "`api`, `sdk`, `codex` or `openai`"),
    Column("upstream", "VARCHAR", "host that was asked"),
    Column("upstream_format", "VARCHAR", "format that was spoken with it"),
    Column("client", "VARCHAR", "the client's name, from its `User-Agent`"),
    Column("client_version", "VARCHAR", "its version, from the same"),
    Column("session_id", "VARCHAR", "session, by the path or by Claude Code's header"),
    Column("agent_id", "VARCHAR", "sub-agent, by Claude Code's header"),
    Column("model_requested", "VARCHAR", "model that the client asked for"),
    Column("model_sent", "VARCHAR", "model that was asked for upstream"),
    Column("model_served", "VARCHAR", "model that answered"),
    Column("service_tier", "VARCHAR", "tier that has prices of its own, such as `priority` or `fast`"),
    Column("stream", "BOOLEAN", "whether a stream was asked for"),
    Column("status", "SMALLINT", "status of the answer"),
    Column("error", "VARCHAR", "code or type of the error, ours or the upstream's"),
    Column("stop_reason", "VARCHAR", "why the answer ended, in the words of its upstream"),
    Column("tokens_input", "BIGINT", "tokens of the prompt, cache included"),
    Column("tokens_output", "BIGINT", "tokens of the answer, reasoning included"),
    Column("cache_read_tokens", "BIGINT", "of the input: read from the cache"),
    Column("cache_write_tokens", "BIGINT", "of the input: written to the cache"),
    Column("cache_write_5m_tokens", "BIGINT", "of those: for five minutes, where told"),
    Column("cache_write_1h_tokens", "BIGINT", "of those: for an hour, where told"),
    Column("reasoning_tokens", "BIGINT", "of the output: reasoning"),
    Column("cost_usd", "DOUBLE", "cost at list prices; empty for a model that has none"),
    Column("cost_reported_usd", "DOUBLE", "cost as Claude Code itself says it"),
    Column("retries", "INTEGER", "attempts after the first"),
    Column("losses", "VARCHAR[]", "what a translation could not carry"),
    Column("bytes_in", "BIGINT", "bytes of the request's body"),
    Column("bytes_out", "BIGINT", "bytes of the answer's body"),
)


class NewerFileError(Exception):
    """The file was written by a newer ccproxy."""


def version(columns: tuple[Column, ...]) -> int:
    """The version of a schema: that of its newest column."""
    return max(column.since for column in columns)


def prepare(connection: "DuckDBPyConnection", columns: tuple[Column, ...] = COLUMNS) -> None:
    """Make an empty file an access log, or an older access log one of today, all or nothing.

    A new version only ever adds columns, so every row that was written stays readable.
    """
    wanted = version(columns)
    connection.execute("BEGIN")
    try:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {VERSIONS} (version INTEGER)")
        ((found,),) = connection.execute(f"SELECT coalesce(max(version), 0) FROM {VERSIONS}").fetchall()  # noqa: S608
        if found > wanted:
            raise NewerFileError(f"The file has version {found}, this ccproxy knows versions up to {wanted}.")
        if found == 0:
            first = ", ".join(f"{column.name} {column.type}" for column in columns if column.since == 1)
            connection.execute(f"CREATE TABLE {TABLE} ({first})")
        for column in columns:
            if column.since > max(found, 1):
                connection.execute(f"ALTER TABLE {TABLE} ADD COLUMN {column.name} {column.type}")
        if found < wanted:
            connection.execute(f"INSERT INTO {VERSIONS} VALUES (?)", [wanted])  # noqa: S608
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
