"""Walking the tree: which dotted keys exist, and what each may hold, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ccproxy.settings.kinds import Allowed, Unset
from ccproxy.settings.table import Table
from ccproxy.settings.tree import Settings

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Kind:
    """A type with its optional part and its annotations taken off: `base` is what remains."""

    base: Any
    notes: tuple[object, ...] = ()

    @classmethod
    def of(cls, annotation: Any, notes: tuple[object, ...] = ()) -> "Kind":
        if get_origin(annotation) is Annotated:
            inner, *more = get_args(annotation)
            flat = [
                note for item in more for note in (item.metadata if isinstance(item, FieldInfo) else [item])
            ]
            return cls.of(inner, (*notes, *flat))
        if get_origin(annotation) in (Union, UnionType):
            rest = [arg for arg in get_args(annotation) if arg is not NoneType]
            if len(rest) == 1:
                return cls.of(rest[0], notes)
        return cls(annotation, notes)

    def note[T](self, kind: type[T]) -> T | None:
        return next((note for note in self.notes if isinstance(note, kind)), None)

    @property
    def container(self) -> Any:
        """`list`, `dict`, `Literal`, …, or the type itself."""
        return get_origin(self.base) or self.base

    @property
    def model(self) -> type[Table] | None:
        return self.base if isinstance(self.base, type) and issubclass(self.base, Table) else None

    @property
    def is_container(self) -> bool:
        return self.container in (list, dict) or self.model is not None

    @property
    def is_plain_text(self) -> bool:
        return self.base is str and not self.note(Allowed)

    def inside(self, part: object) -> "Kind":
        """What stands at `part` (an index or a key) of a container."""
        if self.model and part in self.model.model_fields:
            return kind_of(self.model.model_fields[str(part)])
        arguments = get_args(self.base)
        return Kind.of(arguments[-1]) if arguments else Kind(object)

    @property
    def allowed(self) -> str:
        """What a value may be, as a noun phrase that ends "'x' is not …"."""
        if said := self.note(Allowed):
            return said.phrase
        if self.container is Literal:
            *others, last = get_args(self.base)
            return f"{', '.join(others)} or {last}"
        if self.container is list:
            entry = self.inside(0)
            return "a list of texts" if entry.is_plain_text else f"a list, each entry {entry.allowed}"
        if self.container is dict:
            return "a table of texts" if self.inside("").is_plain_text else "a table"
        if self.model:
            fields = self.model.model_fields.items()
            needed = [name for name, field in fields if field.is_required()]
            others = [name for name, field in fields if not field.is_required()]
            return f"a table with {', '.join(needed)}, and if need be {', '.join(others)}"
        return _WORDS.get(self.base, "a text, a number, true or false, a list or a table") + self._limits()

    def _limits(self) -> str:
        low = next((f"from {note.ge}" for note in self.notes if isinstance(note, Ge)), "")
        above = next((f"above {note.gt}" for note in self.notes if isinstance(note, Gt)), "")
        high = next((f"to {note.le}" for note in self.notes if isinstance(note, Le)), "")
        return "".join(f" {limit}" for limit in (low or above, f"up {high}" if above else high) if limit)


def kind_of(field: FieldInfo) -> Kind:
    return Kind.of(field.annotation, tuple(field.metadata))


@dataclass(frozen=True)
class Leaf:
    """One key that holds a value: `claude.pool.size` is the field `size` of the table `claude.pool`."""

    key: str
    field: FieldInfo
    kind: Kind

    @property
    def table(self) -> str:
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.key.rpartition(".")[2]

    @property
    def secret(self) -> bool:
        return self.kind.base is SecretStr or not self.field.repr

    @property
    def optional(self) -> bool:
        return NoneType in get_args(self.field.annotation)

    @property
    def unset(self) -> str | None:
        """The meaning of the default in words, where its bare value would not say it."""
        said = self.kind.note(Unset)
        return said.phrase if said else None


def tables(model: type[Table] = Settings, prefix: str = "") -> Iterator[tuple[str, type[Table]]]:
    """Every table with its dotted name, the outer before the inner; the tree itself is `""`."""
    yield prefix, model
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Table):
            yield from tables(field.annotation, f"{prefix}.{name}".lstrip("."))


def _leaves() -> Iterator[Leaf]:
    for prefix, model in TABLES.items():
        for name, field in model.model_fields.items():
            if (key := f"{prefix}.{name}".lstrip(".")) not in TABLES:
                yield Leaf(key, field, kind_of(field))


TABLES: Mapping[str, type[Table]] = dict(tables())
LEAVES: Mapping[str, Leaf] = {leaf.key: leaf for leaf in _leaves()}


def put(tree: Any, path: Sequence[str], value: object) -> None:
    """Sets a value in nested dicts, or what acts like them, and makes those on the way."""
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value
