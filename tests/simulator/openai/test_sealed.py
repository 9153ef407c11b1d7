import pytest

from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.sealed import seal, unseal


def test_a_seal_opens_again() -> None:
    assert unseal("reasoning", seal("reasoning", "grüße"), "p") == "grüße"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "hello",
        "gAAAAAB",
        "gAAAAAB!!!",
        seal("reasoning", "thought")[:-4],
        seal("reasoning", "thought").removeprefix("gAAAAAB"),
        seal("reasoning", "thought").replace("A", "B", 8),
        seal("compaction", "thought"),
    ],
)
def test_what_was_changed_is_refused(content: str) -> None:
    with pytest.raises(ApiError) as raised:
        unseal("reasoning", content, "input[0].encrypted_content")

    assert (raised.value.status, raised.value.code) == (400, "invalid_encrypted_content")
