import pytest
from pydantic import ValidationError

from ccproxy.settings import Settings
from ccproxy.settings.table import Table


class Shelf(Table):
    label: str = "none"
    width: int | None = None


def test_the_tree_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().server.port = 1


def test_an_empty_text_unsets_what_may_be_unset_and_nothing_else() -> None:
    assert Shelf.model_validate({"label": "", "width": ""}) == Shelf(label="", width=None)


@pytest.mark.parametrize("values", [{"height": 1}, {"width": "3"}, 3])
def test_what_is_not_in_the_table_is_refused(values: object) -> None:
    with pytest.raises(ValidationError):
        Shelf.model_validate(values)
