"""The simulated chatgpt.com/backend-api: Responses on a ChatGPT plan, and its siblings."""

from ccproxy.simulator.codex.routes import routes

__all__ = ["routes"]
