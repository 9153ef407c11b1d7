"""What mitmproxy knows of connections: our own listeners, and clients that do not read."""

from mitmproxy import ctx

from ccproxy.settings.kinds import is_loopback

CLIENT_BUFFER = 65536
"""Bytes waiting for a client that reads slowly, above which mitmproxy stops reading from the upstream."""


def waits_for_reader(client_id: str) -> bool:
    """Whether a client has stopped reading what we have for it."""
    handler = ctx.master.addons.get("proxyserver").connections.get(client_id)
    writers = (
        [io.writer for conn, io in handler.transports.items() if conn.id == client_id] if handler else []
    )
    transports = [writer.transport for writer in writers if hasattr(writer, "transport")]
    return any(transport.get_write_buffer_size() >= CLIENT_BUFFER for transport in transports)


def is_ours(host: str, port: int) -> bool:
    """Whether an address is one of our own listeners, which a client may also reach through the proxy."""
    servers = ctx.master.addons.get("proxyserver")
    return is_loopback(host) and any(port == address[1] for address in servers.listen_addrs())
