"""Who calls the ChatGPT backend: a JWT of a Codex login, and the account it belongs to."""

from dataclasses import dataclass

from starlette.datastructures import Headers

from ccproxy.simulator.codex.errors import Detail, unauthorized
from ccproxy.simulator.oauth.claims import AUTH_CLAIM, read_claims
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.state import Simulator

LITE = "x-openai-internal-codex-responses-lite"


@dataclass(frozen=True, slots=True)
class Caller:
    """`lite`: the client keeps its instructions and tools in the input."""

    account_id: str
    plan: str
    lite: bool


def identify(sim: Simulator, headers: Headers, *, needs_originator: bool = True) -> Caller:
    """The caller of a request. Raises ApiError.

    Signatures are not looked at, so that clients can be tested with dummy tokens; but a token has to carry
    an account, must not be over, and must not be one that `sim.tokens` has ended.
    """
    values = headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise Detail(401, "Unauthorized")
    claims = read_claims(token.strip())
    if claims is None:
        raise Detail(401, "Could not parse your authentication token. Please try signing in again.")
    _check_alive(sim, token.strip(), claims.get("exp"))
    found = claims.get(AUTH_CLAIM)
    auth = found if isinstance(found, dict) else {}
    account_id = auth.get("chatgpt_account_id")
    if not account_id:
        raise Detail(401, "Unauthorized")
    given = headers.get("chatgpt-account-id")
    if given is None:
        raise Detail(403, "ChatGPT-Account-ID header is required")
    if given != account_id:
        raise Detail(403, "The token does not belong to this account")
    if needs_originator and not headers.get("originator"):
        raise Detail(400, "originator header is required")
    plan = str(auth.get("chatgpt_plan_type", "plus"))
    return Caller(account_id, plan, headers.get(LITE) == "true")


def _check_alive(sim: Simulator, token: str, expires_at: object) -> None:
    state = sim.tokens.state(token)
    if state == "revoked":
        raise _ended("token_invalidated", "Your authentication token has been invalidated.")
    over = isinstance(expires_at, int | float) and expires_at <= sim.tokens.clock()
    if state == "expired" or over:
        raise _ended("token_expired", "Provided authentication token is expired.")


def _ended(code: str, message: str) -> ApiError:
    return unauthorized(code, f"{message} Please try signing in again.")
