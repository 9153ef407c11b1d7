"""Where things are on the local app."""

PREFIX = "/_agent"
"""The base URL of the backend `sdk`."""

WORKERS = "/_worker"
"""Below this path our own processes are served, each known by its token."""
