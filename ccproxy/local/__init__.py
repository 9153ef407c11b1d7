"""The local app: our own routes, served by a small ASGI app that the proxy reaches like any upstream."""
