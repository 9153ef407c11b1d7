"""The Codex login: a form for the code, JSON for a refresh, account and plan in the claims of the tokens.

Source: the open-source Codex CLI, read 2026-11-22. The login by device code is in `device.py`.
"""

from datetime import UTC, datetime
from urllib.parse import urlencode

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.claims import AUTH_CLAIM, claims
from ccproxy.credentials.oauth.constants import CodexConstants, codex_constants
from ccproxy.credentials.oauth.http import post_form, post_json
from ccproxy.credentials.oauth.pkce import Attempt
from ccproxy.credentials.oauth.tokens import TokenError, Tokens, known, read_tokens
from ccproxy.settings import Settings

REVOKE_SECONDS = 10.0


class CodexOAuth:
    """Raises LoginError and TokenError."""

    def __init__(self, constants: CodexConstants) -> None:
        self._constants = constants
        self.redirect = constants.redirect
        self.pasted_redirect_uri = constants.redirect.uri(constants.redirect.ports[0])
        """Redirect of a login in a browser elsewhere: it fails there, and its address is pasted here."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "CodexOAuth":
        return cls(codex_constants(settings))

    async def authorize_url(self, attempt: Attempt) -> str:
        """The page to open."""
        own = {
            "client_id": self._constants.client_id,
            "scope": self._constants.scope,
            "id_token_add_organizations": "true",
            "codex_cli_simplified_flow": "true",
            "originator": self._constants.originator,
        }
        return f"{self._constants.authorize_url}?{urlencode(own | attempt.query())}"

    async def exchange(self, attempt: Attempt, callback: Callback) -> Tokens:
        """Tokens for the code."""
        attempt.check(callback)
        return await self.exchange_code(callback.code, attempt.verifier, attempt.redirect_uri)

    async def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """Tokens for a code whose verifier need not be ours: a device login gets both from the provider."""
        asked_at = datetime.now(UTC)
        answer = await post_form(
            self._constants.token_url,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "client_id": self._constants.client_id,
                "code_verifier": verifier,
            },
        )
        return _tokens(answer, asked_at)

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for a refresh token, which is used up by it."""
        asked_at = datetime.now(UTC)
        fields = {
            "client_id": self._constants.client_id,
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
        }
        return _tokens(await post_json(self._constants.token_url, fields), asked_at)

    async def revoke(self, refresh_token: str) -> bool:
        """Ends the login at the provider, if that works; says whether it did. Never raises TokenError."""
        fields = {
            "token": refresh_token,
            "token_type_hint": "refresh_token",
            "client_id": self._constants.client_id,
        }
        try:
            await post_json(self._constants.revoke_url, fields, seconds=REVOKE_SECONDS)
        except TokenError:
            return False
        return True


def _tokens(answer: JsonObject, asked_at: datetime) -> Tokens:
    return read_tokens(
        answer, asked_at, account=account_of(answer.get("id_token"), answer.get("access_token"))
    )


def account_of(id_token: object, access_token: object) -> JsonObject:
    """Account, plan and address, in the words of `Tokens.account`; the id token counts more."""
    identity, access = claims(id_token), claims(access_token)
    auth: JsonObject = {}
    for one in (access, identity):
        if isinstance(found := one.get(AUTH_CLAIM), dict):
            auth |= found
    return known(
        account_id=auth.get("chatgpt_account_id"),
        plan=auth.get("chatgpt_plan_type"),
        user_id=auth.get("chatgpt_user_id") or auth.get("user_id"),
        email=identity.get("email"),
    )
