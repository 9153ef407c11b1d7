import re

import pytest

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.pkce import Attempt, challenge_of, random_text, same
from ccproxy.credentials.oauth.tokens import LoginError
from tests.simulator.oauth.person import CHALLENGE, VERIFIER


def test_the_example_of_rfc_7636() -> None:
    assert challenge_of(VERIFIER) == CHALLENGE


def test_a_verifier_is_long_and_random() -> None:
    texts = {random_text() for _ in range(100)}

    assert len(texts) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", text) for text in texts)


def test_an_attempt_keeps_its_secrets_to_itself() -> None:
    attempt = Attempt("http://localhost:1/callback")
    secrets = {attempt.state, attempt.verifier, attempt.nonce}

    assert len(secrets) == 3
    assert not any(secret in repr(attempt) for secret in secrets)
    assert attempt.verifier not in attempt.query().values()
    assert attempt.query()["code_challenge"] == challenge_of(attempt.verifier)


def test_only_its_own_callback_is_taken() -> None:
    attempt = Attempt("http://localhost:1/callback")
    attempt.check(Callback("c", attempt.state))

    for state in ("", "x", attempt.state + "x", attempt.state[:-1]):
        with pytest.raises(LoginError, match="another login") as caught:
            attempt.check(Callback("c", state))
        assert caught.value.code == "state_mismatch"


def test_comparing_takes_any_text() -> None:
    assert same("é", "é")
    assert not same("é", "e")
    assert not same("\ud800", "x")
