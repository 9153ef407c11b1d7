"""The Codex login by device code: a code in the terminal, a page for it, a poll until it is typed."""

import hashlib
import itertools
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy.simulator.oauth.pages import device_page, page
from ccproxy.simulator.oauth.providers import CODEX
from ccproxy.simulator.oauth.store import Grant, TokenStore, challenge_of
from ccproxy.simulator.oauth.wire import FORM, JSON, BadBody, openai_error, origin, read_params

DEVICE_SECONDS = 15 * 60
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(slots=True)
class Login:
    user_code: str
    expires_at: float
    issuer: str
    decision: str = "pending"


def routes(store: TokenStore) -> list[BaseRoute]:
    logins: dict[str, Login] = {}
    serial = itertools.count(1)

    async def start(request: Request) -> Response:
        if not store.knobs.device_login:
            return openai_error(404, "not_found", "Device login is not enabled for this account")
        try:
            params = await read_params(request, JSON)
        except BadBody as error:
            return openai_error(400, "invalid_request", str(error))
        if params.get("client_id") != CODEX.client_id:
            return openai_error(401, "invalid_client", "Unknown client_id")
        device_auth_id = store.secret("deviceauth_")
        user_code = _user_code(next(serial))
        logins[device_auth_id] = Login(user_code, store.clock() + DEVICE_SECONDS, origin(request))
        interval = f"{store.knobs.device_interval:g}"
        return JSONResponse({"device_auth_id": device_auth_id, "user_code": user_code, "interval": interval})

    async def poll(request: Request) -> Response:
        try:
            params = await read_params(request, JSON)
        except BadBody as error:
            return openai_error(400, "invalid_request", str(error))
        device_auth_id = params.get("device_auth_id", "")
        login = logins.get(device_auth_id)
        if login is None or login.user_code != params.get("user_code") or login.expires_at <= store.clock():
            return openai_error(404, "deviceauth_not_found", "No such device login")
        if login.decision != "allow":
            return openai_error(403, "deviceauth_authorization_unknown", "Nobody has allowed this login yet")
        del logins[device_auth_id]
        verifier = store.secret("")[:64]
        code = store.new_code(
            Grant("codex", CODEX.client_id, "openid profile email offline_access", login.issuer),
            redirect_uri=f"{login.issuer}/deviceauth/callback",
            challenge=challenge_of(verifier),
        )
        return JSONResponse(
            {
                "authorization_code": code,
                "code_verifier": verifier,
                "code_challenge": challenge_of(verifier),
            }
        )

    async def form(request: Request) -> Response:
        return device_page("", request.query_params.get("user_code", ""))

    async def submit(request: Request) -> Response:
        try:
            params = await read_params(request, FORM)
        except BadBody as error:
            return page("That did not work", str(error), 400)
        typed = params.get("user_code", "").strip().upper()
        login = next((one for one in logins.values() if one.user_code == typed), None)
        if login is None or login.expires_at <= store.clock():
            return device_page("That code is not known, or no longer.", typed)
        login.decision = "allow" if params.get("decision") == "allow" else "deny"
        return page("You can close this page", "Allowed." if login.decision == "allow" else "Denied.")

    async def callback(request: Request) -> Response:
        return page("You can close this page", "")

    return [
        Route("/api/accounts/deviceauth/usercode", start, methods=["POST"]),
        Route("/api/accounts/deviceauth/token", poll, methods=["POST"]),
        Route("/codex/device", form, methods=["GET"]),
        Route("/codex/device", submit, methods=["POST"]),
        Route("/deviceauth/callback", callback),
    ]


def _user_code(serial: int) -> str:
    """Four letters, a dash and five more: easy to type, the same ones in every run."""
    digest = hashlib.sha256(f"user code {serial}".encode()).digest()
    letters = "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:9])
    return f"{letters[:4]}-{letters[4:]}"
