import inspect
from http import HTTPStatus

import pytest

from ccproxy import failures
from ccproxy.failures import Failure

SAMPLES = {"str": "something.", "int": 7, "float": 1.5}


def every_failure() -> list[Failure]:
    made = []
    for name, function in inspect.getmembers(failures, inspect.isfunction):
        if name != "dataclass":
            kinds = [
                parameter.annotation.__name__ for parameter in inspect.signature(function).parameters.values()
            ]
            made.append(function(*(SAMPLES[kind] for kind in kinds)))
    return made


@pytest.mark.parametrize("failure", every_failure(), ids=lambda failure: failure.code)
def test_each_says_what_it_is(failure: Failure) -> None:
    assert HTTPStatus(failure.status).is_client_error or HTTPStatus(failure.status).is_server_error
    assert failure.type.endswith(("_error", "_large"))
    assert failure.message.endswith(".")
    assert failure.code == failure.code.lower().replace(" ", "_")


def test_a_stopping_proxy_says_when_to_come_back() -> None:
    assert failures.shutting_down().retry_after == 1
