"""The authorisation servers of Anthropic, of the Codex CLI and of "Sign in with ChatGPT", on one port.

Authorise URLs: `/oauth/authorize` (Anthropic and Codex, told apart by client id), `/api/accounts/authorize`
(Sign in with ChatGPT). Token URLs: `/v1/oauth/token`, `/oauth/token`, `/api/accounts/oauth/token`.
"""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from ccproxy.simulator.oauth import anthropic, authorize, codex, control, device, siwc

if TYPE_CHECKING:
    from ccproxy.simulator.state import Simulator


def routes(sim: "Simulator") -> list[BaseRoute]:
    """Everything a login, a refresh and a revocation need, and the control endpoint `/_simulator/oauth`."""
    faces = (authorize, anthropic, codex, device, siwc, control)
    sim.on_reset(sim.tokens.reset)
    return [route for face in faces for route in face.routes(sim.tokens)]
