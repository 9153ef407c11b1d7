"""The login with Claude: a JSON body to the token endpoint, which wants the state again.

Source: the official `anthropic` SDK 2.12.0 and Claude Code 2.1.330, read 2026-11-22. There is no known
endpoint that ends a login.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.constants import ClaudeConstants, claude_constants
from ccproxy.credentials.oauth.http import get_json, post_json
from ccproxy.credentials.oauth.pkce import Attempt
from ccproxy.credentials.oauth.tokens import Tokens, known, read_tokens
from ccproxy.settings import Settings

LIFETIME = 3600.0
"""Seconds that a token is taken to live when the answer does not say."""


class ClaudeOAuth:
    """Raises LoginError and TokenError."""

    def __init__(self, constants: ClaudeConstants) -> None:
        self._constants = constants
        self.redirect = constants.redirect
        self.pasted_redirect_uri = constants.code_page
        """Redirect of a login without a browser on this machine: a page that shows `code#state`."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "ClaudeOAuth":
        return cls(claude_constants(settings))

    async def authorize_url(self, attempt: Attempt) -> str:
        """The page to open."""
        own = {"code": "true", "client_id": self._constants.client_id, "scope": self._constants.scope}
        return f"{self._constants.authorize_url}?{urlencode(own | attempt.query())}"

    async def exchange(self, attempt: Attempt, callback: Callback) -> Tokens:
        """Tokens for the code."""
        attempt.check(callback)
        fields = {
            "grant_type": "authorization_code",
            "code": callback.code,
            "redirect_uri": attempt.redirect_uri,
            "client_id": self._constants.client_id,
            "code_verifier": attempt.verifier,
            "state": callback.state,
        }
        return await self._tokens(fields, {})

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for a refresh token, which is used up by it."""
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": self._constants.client_id,
        }
        return await self._tokens(fields, {"anthropic-beta": self._constants.beta})

    async def profile(self, access_token: str) -> JsonObject:
        """Account and plan, in the words of `Tokens.account`. A token without `user:profile` gets 403."""
        answer = await get_json(self._constants.profile_url, headers=self._bearer(access_token))
        account, organization = _table(answer, "account"), _table(answer, "organization")
        plan = next((plan for plan in ("max", "pro") if account.get(f"has_claude_{plan}") is True), None)
        return _account(account, organization, plan)

    async def usage(self, access_token: str) -> JsonObject:
        """The plan's limits and what is used of them, as Anthropic words it. Ask once a minute at most."""
        return await get_json(self._constants.usage_url, headers=self._bearer(access_token))

    async def _tokens(self, fields: Mapping[str, str], headers: Mapping[str, str]) -> Tokens:
        asked_at = datetime.now(UTC)
        answer = await post_json(self._constants.token_url, fields, headers=headers)
        account = _account(_table(answer, "account"), _table(answer, "organization"), None)
        return read_tokens(answer, asked_at, lifetime=LIFETIME, account=account)

    def _bearer(self, access_token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {access_token}", "anthropic-beta": self._constants.beta}


def _account(account: JsonObject, organization: JsonObject, plan: str | None) -> JsonObject:
    return known(
        account_id=account.get("uuid"),
        email=account.get("email_address") or account.get("email"),
        plan=plan or str(organization.get("organization_type") or "").removeprefix("claude_"),
        organization=organization.get("name"),
        organization_id=organization.get("uuid"),
    )


def _table(answer: Mapping[str, Any], name: str) -> JsonObject:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}
