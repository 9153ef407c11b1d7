import base64
import json

import pytest

from ccproxy.conversation.parts import Seal
from ccproxy.formats import carrier

SEALS = [
    (Seal("anthropic", "EqQBCgIYAg=="), "First I add, thén I carry."),
    (Seal("anthropic", "opaque", redacted=True), ""),
    (Seal("openai", "gAAAA-_", id="rs_1"), ""),
    (Seal("openai", "gAAAA"), ""),
]


@pytest.mark.parametrize(("seal", "text"), SEALS)
def test_a_seal_comes_back_as_it_went(seal: Seal, text: str) -> None:
    carried = carrier.pack(seal, text)
    assert carrier.unpack(carried) == (seal, text)
    assert carrier.is_tagged(carried)
    assert carried == carrier.pack(seal, text)


def test_the_tag_says_whose_it_is_and_what_follows_is_base64url_of_json() -> None:
    carried = carrier.pack(Seal("anthropic", "sig"), "thought")
    tag, _, packed = carried.partition(".")
    assert tag == "cc1a"
    assert json.loads(base64.urlsafe_b64decode(packed + "==")) == {"k": "t", "s": "sig", "t": "thought"}
    tag, _, packed = carrier.pack(Seal("openai", "enc", id="rs_1"), "thought").partition(".")
    assert tag == "cc1o"
    assert json.loads(base64.urlsafe_b64decode(packed + "==")) == {"id": "rs_1", "e": "enc"}


def test_padding_may_be_there() -> None:
    packed = base64.urlsafe_b64encode(b'{"id":"rs","e":"x"}').decode()
    assert packed.endswith("=")
    assert carrier.unpack(f"cc1o.{packed}") == (Seal("openai", "x", id="rs"), "")


@pytest.mark.parametrize(
    "carried",
    [
        "",
        "EqQBCgIYAg==",
        "cc1o.",
        "cc1a.!!!",
        "cc1a.e30",
        "cc1o.bnVsbA",
        "cc1a." + base64.urlsafe_b64encode(b'{"k":"x","s":"","t":""}').decode(),
        "cc1o." + base64.urlsafe_b64encode(b"[" * 5000).decode(),
        "cc1o.é",
    ],
)
def test_what_is_no_carrier_has_no_seal(carried: str) -> None:
    assert carrier.unpack(carried) is None
