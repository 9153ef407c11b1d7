"""Proof Key for Code Exchange (RFC 7636), and what else ties a redirect to the login it belongs to."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.tokens import LoginError


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def random_text() -> str:
    """256 random bits, as 43 characters that a verifier may have (section 4.1)."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to log in: where its redirect goes, and the secrets that only its beginner knows."""

    redirect_uri: str
    state: str = field(default_factory=random_text, repr=False)
    verifier: str = field(default_factory=random_text, repr=False)
    nonce: str = field(default_factory=random_text, repr=False)

    def query(self) -> dict[str, str]:
        """Its part of an authorisation URL."""
        return {
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }

    def check(self, callback: Callback) -> None:
        """Raises LoginError when the callback belongs to another login."""
        if not same(callback.state, self.state):
            raise LoginError(
                "That code belongs to another login (its state is not ours): begin again.",
                code="state_mismatch",
            )


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
