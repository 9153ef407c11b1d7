"""The simulated chatgpt.com/backend-api: Responses on a ChatGPT plan (SSE and WebSocket), and its siblings.

The bearer is a JWT with an account, signed or not. Scenarios as everywhere; errors of its own:

    error 429 usage_limit [seconds]     the plan window is used up, for so long
    error 429 usage_not_included        the plan has no Codex
    error 403 blocked                   an HTML page of the network in front
    error <status> capacity             the model is at capacity
    error 401 <code>                    token_expired, token_invalidated, token_revoked

`POST /_simulator/codex` switches WebSockets off (426) and moves `workspace_backend_origin`.
"""

from ccproxy.simulator.codex.routes import routes

__all__ = ["routes"]
