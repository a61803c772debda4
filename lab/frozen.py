"""Frozen classes with slots: what `@dataclass(frozen=True, slots=True)` makes, made faster.

Before Python 3.13 the standard library compiles each method of each dataclass by itself, which was
a third of the time in which a run imports what it needs. Here one method is compiled, `__init__`;
the others are the same functions for every class, around a C function that reads its fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """The class as a frozen dataclass with slots, compared and hashed by its fields.

    `fields`, `replace` and `field` of the standard library apply to it. A method that the class
    defines itself is kept.
    """
    own = frozenset(cls.__dict__)
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    every = fields(made)  # type: ignore[arg-type]
    everything = _values_of(every)
    compared = _values_of([each for each in every if each.compare])
    shown = [each.name for each in every if each.repr]
    methods: dict[str, Callable[..., Any]] = {
        "__init__": _init_of(made, every),
        "__repr__": lambda self: _represented(self, shown),
        "__eq__": lambda self, other: (
            compared(self) == compared(other) if other.__class__ is made else NotImplemented
        ),
        "__hash__": lambda self: hash(compared(self)),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__getstate__": lambda self: everything(self),
        "__setstate__": lambda self, state: _restore(self, every, state),
    }
    for name, method in methods.items():
        # Every class has a __hash__, which is None where it defines __eq__ alone.
        if name not in own:
            setattr(made, name, method)
    return made


def _values_of(every: list[Field[Any]] | tuple[Field[Any], ...]) -> Callable[[Any], Any]:
    """A function that returns the values of the fields as a tuple."""
    names = [each.name for each in every]
    if not names:
        return lambda instance: ()
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda instance: (get(instance),)
    return attrgetter(*names)


def _init_of(cls: type, every: tuple[Field[Any], ...]) -> Callable[..., None]:
    """`__init__`, which sets each field and then calls `__post_init__` where there is one."""
    scope: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": MISSING}
    parameters, lines = ["self"], []
    for number, each in enumerate(every):
        parameter, value = each.name, each.name
        if each.default is not MISSING:
            scope[f"_default{number}"] = each.default
            parameter = f"{each.name}=_default{number}"
        elif each.default_factory is not MISSING:
            scope[f"_make{number}"] = each.default_factory
            parameter = f"{each.name}=_MISSING"
            value = f"_make{number}() if {each.name} is _MISSING else {each.name}"
        parameters.append(parameter)
        lines.append(f" _set(self, {each.name!r}, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()\n")
    exec(f"def __init__({', '.join(parameters)}):\n{''.join(lines) or ' pass'}", scope)
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {each.name: each.type for each in every}
    return made


def _represented(instance: object, names: list[str]) -> str:
    values = ", ".join(f"{name}={getattr(instance, name)!r}" for name in names)
    return f"{type(instance).__qualname__}({values})"


def _refuse_to_set(instance: object, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(instance: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(instance: object, every: tuple[Field[Any], ...], state: tuple[Any, ...]) -> None:
    """What pickle has of an instance becomes one."""
    for each, value in zip(every, state, strict=True):
        object.__setattr__(instance, each.name, value)
