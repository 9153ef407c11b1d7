from ccproxy.conversation.usage import Usage


def test_what_nobody_said_is_none() -> None:
    usage = Usage()
    assert [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning] == [None] * 5
