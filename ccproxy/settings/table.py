"""What every table of the settings has in common."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Table(BaseModel):
    """A TOML table. `repr=False` marks a key whose values may hold secrets: they are never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_text_unsets(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        optional = {
            name for name, field in cls.model_fields.items() if type(None) in get_args(field.annotation)
        }
        return {key: None if key in optional and value == "" else value for key, value in data.items()}
