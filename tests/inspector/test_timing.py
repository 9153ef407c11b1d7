"""When what happened, in words."""

from ccproxy.exchange import Exchange
from ccproxy.inspector.timing import times_of, timing_text


def test_what_an_exchange_knows() -> None:
    made = Exchange("reverse", "POST", "/api/v1/messages")
    begun = made.started
    made.sent, made.first_byte, made.first_text = begun + 0.004, begun + 0.42, begun + 0.9
    made.last_byte, made.ended, made.longest_gap = begun + 3.2, begun + 3.21, 1.2
    made.retries, made.bytes_out = 1, 12_345
    times = times_of(made) | {"connect": 0.012, "tls": 0.03}
    assert all(isinstance(value, int | float) for value in times.values())
    assert timing_text(times).split("\n") == [
        "Sent          at 4 ms",
        "First byte    at 0.42 s",
        "First text    at 0.90 s",
        "Last byte     at 3.20 s",
        "Ended         at 3.21 s",
        "Connecting    12 ms",
        "TLS           30 ms",
        "Longest gap   1.20 s",
        "Retries       1",
        "Received      12.3 kB",
    ]


def test_what_it_does_not_know_is_left_out() -> None:
    made = Exchange("reverse", "POST", "/api/v1/messages")
    assert times_of(made) == {}
    made.ended = made.started + 0.5
    assert timing_text(times_of(made)) == "Ended         at 0.50 s"


def test_a_flow_file_may_hold_anything() -> None:
    assert timing_text({}) == timing_text({"sent": "soon", "retries": None}) == "No times are known."
