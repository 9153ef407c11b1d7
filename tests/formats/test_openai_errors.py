import pytest

from ccproxy.failures import Failure
from ccproxy.formats.openai_errors import error_object


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("authentication_error", "authentication_error"),
        ("permission_error", "permission_error"),
        ("not_found_error", "invalid_request_error"),
        ("request_too_large", "invalid_request_error"),
        ("api_error", "server_error"),
        ("overloaded_error", "service_unavailable_error"),
    ],
)
def test_types(ours: str, theirs: str) -> None:
    made = error_object(Failure("c", 400, ours, "m", param="p"))
    assert made == {"message": "m", "type": theirs, "param": "p", "code": "c"}
