from ccproxy.exchange import Exchange


def test_secrets_are_not_in_its_text() -> None:
    exchange = Exchange("reverse", "POST", "/api/v1/messages")
    exchange.received = [("X-Api-Key", "hush-1")]
    exchange.attached = [("authorization", "Bearer hush-2")]
    assert "hush" not in repr(exchange)
    assert exchange.received_value("x-api-key") == "hush-1"
    assert exchange.received_value("authorization") is None


def test_ids_differ() -> None:
    assert Exchange("reverse", "GET", "/").id != Exchange("reverse", "GET", "/").id


def test_times_of_the_bytes() -> None:
    exchange = Exchange("reverse", "GET", "/")
    exchange.saw_bytes(3)
    exchange.saw_bytes(4)
    assert exchange.bytes_out == 7
    assert exchange.first_byte is not None
    assert exchange.last_byte is not None
    assert exchange.longest_gap == exchange.last_byte - exchange.first_byte
