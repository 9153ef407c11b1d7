"""The JSON web tokens that OpenAI's authorisation servers issue (RS256, key published as JWKS)."""

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from ccproxy.simulator.oauth.providers import ACCOUNT

AUTH_CLAIM = "https://api.openai.com/auth"
PROFILE_CLAIM = "https://api.openai.com/profile"
KEY_ID = "simulator"


@cache
def signing_key() -> RSAPrivateKey:
    """One key per process: a key in the source would look like a leaked secret to every scanner."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def jwks() -> dict[str, Any]:
    """The public half, as `/.well-known/jwks.json` serves it."""
    key: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(signing_key().public_key()))
    return {"keys": [{**key, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]}


def sign(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": KEY_ID})


def read_claims(token: str) -> dict[str, Any] | None:
    """The claims of a JWT, without a look at its signature; None when it is no JWT."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    return dict(claims)


def access_claims(
    issuer: str, client_id: str, scope: str, audience: str, serial: int, issued_at: float, expires_at: float
) -> dict[str, Any]:
    return {
        "iss": issuer,
        "aud": [audience],
        "client_id": client_id,
        "sub": ACCOUNT.user_id,
        "scp": scope.split(),
        "jti": f"jti-{serial:08d}",
        "iat": int(issued_at),
        "exp": int(expires_at),
    }


def id_claims(
    issuer: str, client_id: str, scope: str, nonce: str | None, issued_at: float, expires_at: float
) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": [client_id],
        "sub": ACCOUNT.user_id,
        "iat": int(issued_at),
        "exp": int(expires_at),
    }
    if "email" in scope.split():
        claims |= {"email": ACCOUNT.email, "email_verified": True}
    if nonce is not None:
        claims["nonce"] = nonce
    return claims


def chatgpt_claims() -> dict[str, Any]:
    """The two vendor claims that a Codex login carries in both of its tokens."""
    return {
        AUTH_CLAIM: {
            "chatgpt_account_id": ACCOUNT.account_id,
            "chatgpt_plan_type": ACCOUNT.plan,
            "chatgpt_user_id": ACCOUNT.user_id,
            "user_id": ACCOUNT.user_id,
            "organizations": [
                {"id": "org-simulator", "title": "Personal", "role": "owner", "is_default": True}
            ],
        },
        PROFILE_CLAIM: {"email": ACCOUNT.email},
    }
