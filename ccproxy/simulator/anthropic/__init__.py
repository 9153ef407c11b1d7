"""The simulated api.anthropic.com (Messages API reference and SDK types, read 2026-11-22)."""

from ccproxy.simulator.anthropic.routes import routes

__all__ = ["routes"]
