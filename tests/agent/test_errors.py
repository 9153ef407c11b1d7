import pytest

from ccproxy.agent.errors import AgentError, CliBroken, CliMissing, ControlRefused, WorkerDied, masked


def test_all_of_them_are_a_503_that_says_what_to_do() -> None:
    for error in (CliMissing("gone"), CliBroken("odd"), WorkerDied(1), ControlRefused("x", "no")):
        assert isinstance(error, AgentError)
        assert (error.failure.code, error.failure.status) == ("claude_unavailable", 503)
        assert str(error) == error.failure.message


@pytest.mark.parametrize(
    ("exit_code", "text"),
    [(None, "has been closed"), (-9, "ended by signal 9"), (1, "with exit code 1")],
)
def test_how_it_died(exit_code: int | None, text: str) -> None:
    assert text in str(WorkerDied(exit_code))


@pytest.mark.parametrize(
    "said",
    [
        "key sk-ant-api03-secretsecret used",
        "key sk-ant-oat01-secretsecret used",
        "Authorization: Bearer secretsecret",
        '{"authorization":"Bearer secretsecret"}',
        "x-api-key: secretsecret",
        "sent BEARER secretsecret",
    ],
)
def test_secrets_are_masked(said: str) -> None:
    assert "secretsecret" not in masked(said)
    for error in (CliBroken("It broke.", said), WorkerDied(1, said)):
        assert "secretsecret" not in f"{error} {error.stderr}"
    assert "secretsecret" not in str(ControlRefused("x", said))


def test_only_the_last_words_are_told_and_no_path() -> None:
    stderr = "at /home/me/one.js\n  Error: cannot read '/home/me/my.json' (~/x), see https://a.example/b\n\n"
    error = WorkerDied(3, stderr)
    assert "It said: Error: cannot read '[path]' ([path]), see https://a.example/b" in str(error)
    assert error.stderr == stderr
    assert len(str(CliBroken("Odd.", "x" * 4096))) < 400


@pytest.mark.parametrize(
    "said", ["error: unknown option '--no-session-persistence'", "Unsupported control request subtype: x"]
)
def test_an_old_one_is_to_be_updated(said: str) -> None:
    for error in (WorkerDied(1, said), CliBroken("Odd.", said), ControlRefused("x", said)):
        assert "`claude update`, or npm install" in str(error)
    assert "update" not in str(WorkerDied(1, "no network"))
