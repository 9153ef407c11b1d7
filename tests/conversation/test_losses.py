from ccproxy.conversation.losses import Loss, RequestError


def test_a_label() -> None:
    assert Loss("seed", "why").label == "seed"
    assert Loss("temperature", "why", "clamped").label == "temperature(clamped)"


def test_an_error_names_its_field() -> None:
    error = RequestError("messages.0", "must be an object")
    assert (error.path, str(error)) == ("messages.0", "must be an object")
