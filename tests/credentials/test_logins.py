import pytest

from ccproxy.credentials.credential import CredentialError, State, TryLater
from ccproxy.credentials.logins import Logins
from ccproxy.credentials.stores.login import Login


class Place:
    """A source that does what it is told."""

    def __init__(self, name: str, what: Login | CredentialError | None = None) -> None:
        self.name = name
        self.what = what
        self.running = False

    async def fresh(self) -> Login | None:
        if isinstance(self.what, CredentialError):
            raise self.what
        return self.what

    async def rejected(self, access_token: str) -> Login | None:
        return Login(f"{self.name} instead of {access_token}")

    async def status(self) -> tuple[Login | None, State, str]:
        if isinstance(self.what, CredentialError):
            return Login("old"), "expired", str(self.what)
        return (self.what, "valid", "") if self.what else (None, "missing", "")

    def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False


OVER, LATER = CredentialError("over", expired=True), TryLater("later")
ONE, TWO = Login("1"), Login("2")


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (ONE, TWO, ONE),
        (None, TWO, TWO),
        (OVER, TWO, TWO),
        (OVER, None, "over"),
        (LATER, TWO, "later"),
        (None, None, "missing"),
    ],
)
async def test_the_first_that_can_be_used(
    first: Login | CredentialError | None, second: Login | None, found: Login | str
) -> None:
    logins = Logins([Place("a", first), Place("b", second)], "missing")
    if isinstance(found, str):
        with pytest.raises(CredentialError, match=found):
            await logins.fresh()
    else:
        assert await logins.fresh() == found


async def test_status_tells_of_the_one_that_serves_else_what_is_wrong() -> None:
    assert await Logins([Place("a", OVER), Place("b", TWO)], "m").status() == ("b", TWO, "valid", "")
    wrong = await Logins([Place("a"), Place("b", OVER)], "m").status()
    assert wrong == ("b", Login("old"), "expired", "over")
    assert await Logins([Place("a")], "m").status() == ("nowhere", None, "missing", "m")


async def test_after_a_refusal_the_one_that_served_is_asked() -> None:
    logins = Logins([Place("a"), Place("b", TWO)], "missing")
    assert await logins.rejected("2") is None
    await logins.fresh()
    assert await logins.rejected("2") == Login("b instead of 2")


async def test_all_are_started_and_stopped() -> None:
    places = [Place("a"), Place("b")]
    logins = Logins(places, "missing")
    logins.start()
    assert [place.running for place in places] == [True, True]
    await logins.stop()
    assert [place.running for place in places] == [False, False]
