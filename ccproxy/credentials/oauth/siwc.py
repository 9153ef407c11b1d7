"""Sign in with ChatGPT, for open-source programs on the user's own machine.

Source: developers.openai.com/siwc, read 2026-11-22. An installation registers with its first login: it comes
as `dynamic_agent_client`, the redirect brings the client id that is its own from then on.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.claims import claims, moment
from ccproxy.credentials.oauth.constants import SiwcConstants, siwc_constants
from ccproxy.credentials.oauth.http import get_json, post_form
from ccproxy.credentials.oauth.pkce import Attempt, same
from ccproxy.credentials.oauth.tokens import LoginError, TokenError, Tokens, known, read_tokens
from ccproxy.settings import Settings

LIFETIME = 3600.0
"""Seconds that a token is taken to live when the answer does not say."""

REVOKE_SECONDS = 10.0
PASTE_PORT = 1456  # any will do: nobody has to listen there
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Registration:
    """An installation. `client_id` and `subject` (the user) are None until the first login has succeeded."""

    host_id: str
    client_id: str | None = None
    subject: str | None = None


def new_host_id() -> str:
    """A name for this installation: made once, and stored before it is first used."""
    return f"urn:uuid:{uuid.uuid4()}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the issuer's discovery document names. `revoke` is None when it offers none."""

    authorize: str
    token: str
    revoke: str | None


class SiwcOAuth:
    """Raises LoginError and TokenError."""

    def __init__(self, constants: SiwcConstants, registration: Registration) -> None:
        self._constants = constants
        self._registration = registration
        self._endpoints: Endpoints | None = None
        self.redirect = constants.redirect
        self.pasted_redirect_uri = constants.redirect.uri(PASTE_PORT)
        """Redirect of a login in a browser elsewhere: it fails there, and its address is pasted here."""

    @classmethod
    def from_settings(cls, settings: Settings, registration: Registration) -> "SiwcOAuth":
        return cls(siwc_constants(settings), registration)

    async def authorize_url(self, attempt: Attempt, *, ask_consent: bool = False) -> str:
        """The page to open. `ask_consent` asks again for plan usage, which the user had declined."""
        endpoints = await self.endpoints()
        query = {
            "client_id": self._registration.client_id or self._constants.client_id,
            "scope": self._constants.scope,
            "resource": self._constants.resource,
            "nonce": attempt.nonce,
            "ext_agent_host_id": self._registration.host_id,
        }
        if self._registration.client_id is None:
            query["agent_name_hint"] = self._constants.agent_name
        if ask_consent:
            query["prompt"] = "consent"
        return f"{endpoints.authorize}?{urlencode(query | attempt.query())}"

    async def exchange(self, attempt: Attempt, callback: Callback) -> Tokens:
        """Tokens for the code; `account` has the `client_id` and `subject` to register.

        Plan usage may have been declined all the same: see `grants_plan`.
        """
        attempt.check(callback)
        client_id = self._issued(callback)
        asked_at = datetime.now(UTC)
        fields = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": callback.code,
            "code_verifier": attempt.verifier,
            "redirect_uri": attempt.redirect_uri,
            "resource": self._constants.resource,
        }
        tokens = await self._tokens(fields, asked_at)
        identity = claims(tokens.id_token)
        try:
            self._check_identity(identity, client_id, attempt.nonce, asked_at)
        except LoginError:
            if tokens.refresh_token:  # nobody will use these tokens, so nobody else shall
                await self._revoke(tokens.refresh_token, client_id)
            raise
        scopes = tokens.scopes or tuple(self._constants.scope.split())  # RFC 6749, section 5.1
        return replace(tokens, scopes=scopes, account=_account(identity, client_id))

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for a refresh token, which is used up by it."""
        fields = {
            "grant_type": "refresh_token",
            "client_id": self._registered(),
            "refresh_token": refresh_token,
            "resource": self._constants.resource,
        }
        tokens = await self._tokens(fields, datetime.now(UTC))
        # Not checked again: to throw away what replaces a used-up token would end the login.
        return replace(tokens, account=_account(claims(tokens.id_token), fields["client_id"]))

    async def revoke(self, refresh_token: str) -> bool:
        """Ends the login at the provider, if that works; says whether it did. Never raises TokenError."""
        client_id = self._registration.client_id
        return client_id is not None and await self._revoke(refresh_token, client_id)

    def grants_plan(self, tokens: Tokens) -> bool:
        """Whether the user lets this installation use the ChatGPT plan."""
        return self._constants.plan_scope in tokens.scopes

    async def endpoints(self) -> Endpoints:
        """Read once from `<issuer>/.well-known/openid-configuration`, which must be the issuer's own."""
        if self._endpoints is None:
            issuer = self._constants.issuer
            found = await get_json(f"{issuer}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise TokenError(
                    f"The discovery document at {issuer} is of another issuer.", code="bad_answer"
                )
            revoke = found.get("revocation_endpoint")
            self._endpoints = Endpoints(
                self._trusted(found.get("authorization_endpoint")),
                self._trusted(found.get("token_endpoint")),
                None if revoke is None else self._trusted(revoke),
            )
        return self._endpoints

    def _trusted(self, url: object) -> str:
        """`url`, if tokens may be sent there: to an https URL, or to the issuer's own origin."""
        try:
            scheme, netloc = urlsplit(url)[:2] if isinstance(url, str) else ("", "")
        except ValueError:
            scheme, netloc = "", ""
        origin = urlsplit(self._constants.issuer)[:2]
        if isinstance(url, str) and netloc and (scheme == "https" or (scheme, netloc) == origin):
            return url
        raise TokenError(
            f"The discovery document at {self._constants.issuer} names no safe endpoints.", code="bad_answer"
        )

    def _issued(self, callback: Callback) -> str:
        """The client id to use from now on."""
        saved, given = self._registration.client_id, callback.client_id
        if saved is None:
            if not given or given == self._constants.client_id:
                raise LoginError("The sign-in has issued no client id: begin it again.", code="no_client_id")
            return given
        if given is not None and not same(given, saved):
            raise LoginError(
                "The sign-in came back for another registration: begin it again.", code="client_id_mismatch"
            )
        return saved

    def _registered(self) -> str:
        if self._registration.client_id is None:
            raise TokenError(
                "This installation is not registered for Sign in with ChatGPT: log in again.",
                code="not_registered",
                terminal=True,
            )
        return self._registration.client_id

    async def _tokens(self, fields: dict[str, str], asked_at: datetime) -> Tokens:
        answer = await post_form((await self.endpoints()).token, fields)
        return read_tokens(answer, asked_at, lifetime=LIFETIME, account={})

    async def _revoke(self, refresh_token: str, client_id: str) -> bool:
        fields = {"token": refresh_token, "token_type_hint": "refresh_token", "client_id": client_id}
        try:
            revoke = (await self.endpoints()).revoke
            if revoke is None:
                return False
            await post_form(revoke, fields, seconds=REVOKE_SECONDS)
        except TokenError:
            return False
        return True

    def _check_identity(self, identity: dict[str, Any], client_id: str, nonce: str, now: datetime) -> None:
        """OpenID Connect Core 1.0, section 3.1.3.7; TLS to the token endpoint stands in for the signature."""
        audience = identity.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        ends, subject = moment(identity.get("exp")), identity.get("sub")
        wrong = next(
            (
                name
                for name, good in {
                    "iss": identity.get("iss") == self._constants.issuer,
                    "aud": client_id in audiences,
                    "exp": ends is not None and ends > now - CLOCK_SKEW,
                    "nonce": same(str(identity.get("nonce")), nonce),
                    "sub": isinstance(subject, str) and bool(subject),
                }.items()
                if not good
            ),
            None,
        )
        if wrong:
            raise LoginError(
                f"The id token of the sign-in is not for us ({wrong}): begin it again.", code="bad_id_token"
            )
        if self._registration.subject not in (None, subject):
            raise LoginError(
                "That is another ChatGPT account than before: log out first to change accounts.",
                code="other_account",
            )


def _account(identity: dict[str, Any], client_id: str) -> dict[str, Any]:
    return known(
        client_id=client_id,
        issuer=identity.get("iss"),
        subject=identity.get("sub"),
        email=identity.get("email"),
    )
