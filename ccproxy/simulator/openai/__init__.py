"""The simulated api.openai.com: Chat Completions, Responses (HTTP and WebSocket), models."""

from ccproxy.simulator.openai.routes import routes

__all__ = ["routes"]
