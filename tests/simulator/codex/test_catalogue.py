import json

import pytest

from ccproxy.simulator.codex.catalogue import find, listing, models, version
from ccproxy.simulator.codex.errors import Detail
from ccproxy.simulator.openai import catalogue as public


def test_versions_are_compared_as_numbers() -> None:
    assert version("0.98.0") < version("0.144.6") < version("0.169.0")
    assert version("0.170.0-alpha.1") == (0, 170, 0)
    assert version("x") == (0,)


def test_every_slug_is_a_model_of_the_public_api() -> None:
    assert all(find(slug) is public.find(slug) for slug in models())
    with pytest.raises(Detail):
        find("gpt-4o")


def test_a_new_model_is_hidden_from_an_old_client() -> None:
    body, etag = listing("0.140.0")
    other, other_etag = listing("0.153.0")

    slugs = {model["slug"] for model in json.loads(body)["models"]}
    assert "gpt-5.5" in slugs
    assert {model["slug"] for model in json.loads(other)["models"]} - slugs == {
        "gpt-6.1-sol",
        "gpt-6-astra",
        "gpt-5.6-sol",
    }
    assert etag != other_etag
