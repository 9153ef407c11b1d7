"""Answers that clients want before they ask a model, where a cassette does not have them."""

from collections.abc import Iterable

import msgspec

from ccproxy.formats import models

ACCOUNTS = "/wham/accounts/check"
"""Where the Codex CLI (0.169, measured 2026-11-22) asks which server its account lives on. It does not go on
without an answer, and the real one is about a person, so it is never recorded."""


def accounts(account: str) -> bytes:
    """One account, at the public address."""
    one = {
        "id": account,
        "plan_type": "pro",
        "workspace_backend_origin": "https://chatgpt.com",
        "account_routing_override": "NO_CONSTRAINT",
    }
    return msgspec.json.encode({"accounts": [one], "account_ordering": [account]})


def model_list(names: Iterable[str], *, anthropic: bool) -> bytes:
    """The models by these names, each once, in one of the two shapes."""
    listed = msgspec.json.encode({"data": [{"id": name} for name in dict.fromkeys(names)]})
    return models.to_anthropic(listed) if anthropic else models.to_openai(listed)


NO_CODEX_MODELS = b'{"models":[]}'
"""With it the Codex CLI goes by its own list."""
