from pathlib import Path

import pytest

from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.openai import OpenAICredential
from ccproxy.settings import load


async def test_the_key_from_the_settings(tmp_path: Path) -> None:
    found = OpenAICredential(load({"openai.api_key": "sk-x"}, environ={}, cwd=tmp_path).settings)
    secret = await found.secret()
    assert secret is not None
    assert secret.headers == (("authorization", "Bearer sk-x"),)
    assert (await found.status()).usable
    assert await found.rejected(secret) is None


async def test_no_key(tmp_path: Path) -> None:
    found = OpenAICredential(load({}, environ={}, cwd=tmp_path).settings)
    with pytest.raises(CredentialError, match="OPENAI__API_KEY"):
        await found.secret()
    assert (await found.status()).state == "missing"
