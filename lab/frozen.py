"""Frozen classes with slots: what `@dataclass(frozen=True, slots=True)` makes, made faster.

The standard library (before Python 3.13 more so) looks at each field at length and compiles each
method of each dataclass by itself, which was a third of the time in which a run imports what it
needs. Here a class is made at once, with the same functions for every class around a C function
that reads its fields. What many classes are never asked for in a process is made when they are:
`__init__`, the one method that is compiled, with the first instance, and with the first call of
`fields` or `replace` of the standard library what these look at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from types import MemberDescriptorType
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")

_FIELDS, _PARAMS = "__dataclass_fields__", "__dataclass_params__"
"""What the standard library has of a dataclass."""

_NO_FIELDS = ("ClassVar", "InitVar", "KW_ONLY")
"""Annotations that would be about something else."""

_OWN = "__frozen_fields__"
"""What is known of a class's fields here: each default by the field's name, in their order."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """The class as a frozen dataclass with slots, compared and hashed by its fields.

    `fields`, `replace` and `field` of the standard library apply to it. A method that the class
    defines itself is kept. Raises TypeError and ValueError as the standard library does.
    """
    namespace = dict(cls.__dict__)
    own = {name: namespace.pop(name, MISSING) for name in cls.__annotations__}
    inherited = _inherited(cls)
    every = inherited | own
    _check(cls, every)
    compared = _values_of([name for name, given in every.items() if _is(given, "compare")])
    shown = [name for name, given in every.items() if _is(given, "repr")]
    everything = _values_of([*every])
    methods: dict[str, object] = {
        "__init__": _LateInit(every),
        "__repr__": lambda self: _represented(self, shown),
        "__eq__": lambda self, other: (
            compared(self) == compared(other) if other.__class__ is made else NotImplemented
        ),
        "__hash__": lambda self: hash(compared(self)),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__getstate__": lambda self: everything(self),
        "__setstate__": lambda self, state: _restore(self, every, state),
        "__match_args__": tuple(every),
    }
    # Every class has a __hash__, which is None where it defines __eq__ alone.
    known = {name: value for name, value in methods.items() if name not in namespace}
    for name in ("__dict__", "__weakref__"):
        namespace.pop(name, None)
    slots = tuple(name for name in own if name not in inherited)
    late = {name: _LateFields(own, name) for name in (_FIELDS, _PARAMS)}
    namespace |= known | {"__slots__": slots, _OWN: every, **late}
    metaclass: Any = type(cls)
    made: type[T] = metaclass(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__
    return made


def _inherited(cls: type) -> dict[str, Any]:
    """The fields of the classes that it is made from, with their defaults."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        if _OWN in base.__dict__:
            found |= base.__dict__[_OWN]
        elif _FIELDS in base.__dict__:
            found |= {each.name: each for each in fields(base)}
    return found


def _check(cls: type, every: dict[str, Any]) -> None:
    """Refuse what would otherwise be found out with the first instance."""
    defaults = False
    for name, given in every.items():
        if str(cls.__annotations__.get(name)).partition("[")[0].endswith(_NO_FIELDS):
            raise TypeError(f"{cls.__name__}.{name}: every annotation is a field's")
        default = given.default if isinstance(given, Field) else given
        if default.__class__.__hash__ is None:
            raise ValueError(f"mutable default for {cls.__name__}.{name}: use default_factory")
        if _has_default(given):
            defaults = True
        elif defaults:
            raise TypeError(f"{cls.__name__}.{name} without a default follows one that has one")


def _has_default(given: object) -> bool:
    if isinstance(given, Field):
        return given.default is not MISSING or given.default_factory is not MISSING
    return given is not MISSING


def _is(given: object, how: str) -> bool:
    """Whether a field is compared, or shown: as its Field says, else it is."""
    return getattr(given, how) is True if isinstance(given, Field) else True


class _LateFields:
    """Stands for what the standard library has of a dataclass, until it is asked for."""

    def __init__(self, own: dict[str, Any], name: str) -> None:
        self._own = own
        self._name = name

    def __set_name__(self, owner: type, _: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, asked: type) -> Any:  # noqa: ANN401  as the library has it
        owner = self._owner
        defaults = {name: given for name, given in self._own.items() if given is not MISSING}
        namespace = {"__annotations__": owner.__annotations__, "__module__": owner.__module__}
        # Where a class has none the library writes one, of its signature, in half of its time.
        namespace["__doc__"] = owner.__doc__ or owner.__name__
        # Without the bases, which may refuse a class made like this one (Generic), or note it.
        alike: Any = type(owner.__name__, (), namespace | defaults)
        dataclass(init=False, repr=False, eq=False)(alike)
        found: dict[str, Field[Any]] = {}
        for base in reversed(owner.__mro__[1:]):
            if _FIELDS in base.__dict__:
                found |= getattr(base, _FIELDS)
        setattr(owner, _FIELDS, found | alike.__dict__[_FIELDS])
        setattr(owner, _PARAMS, alike.__dict__[_PARAMS])
        return owner.__dict__[self._name]


class _LateInit:
    """Stands for `__init__`, which it compiles when that is asked for."""

    def __init__(self, every: dict[str, Any]) -> None:
        self._every = every

    def __set_name__(self, owner: type, _: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, asked: type) -> Callable[..., None]:
        made = _init_of(self._owner, self._every)
        self._owner.__init__ = made  # type: ignore[misc]
        bound: Callable[..., None] = made if instance is None else made.__get__(instance)
        return bound


def _values_of(names: list[str]) -> Callable[[Any], Any]:
    """A function that returns the values of the fields as a tuple."""
    if not names:
        return lambda instance: ()
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda instance: (get(instance),)
    return attrgetter(*names)


def _init_of(cls: type, every: dict[str, Any]) -> Callable[..., None]:
    """`__init__`, which sets each field and then calls `__post_init__` where there is one."""
    scope: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": MISSING}
    parameters, lines = ["self"], []
    for number, (name, given) in enumerate(every.items()):
        parameter, value = name, name
        default = given.default if isinstance(given, Field) else given
        if default is not MISSING:
            scope[f"_default{number}"] = default
            parameter = f"{name}=_default{number}"
        elif isinstance(given, Field) and given.default_factory is not MISSING:
            scope[f"_make{number}"] = given.default_factory
            parameter = f"{name}=_MISSING"
            value = f"_make{number}() if {name} is _MISSING else {name}"
        parameters.append(parameter)
        slot = getattr(cls, name, None)
        if isinstance(slot, MemberDescriptorType):
            # Its own setter need not look for the field, which is a third of the time.
            scope[f"_set{number}"] = slot.__set__
            lines.append(f" _set{number}(self, {value})\n")
        else:
            lines.append(f" _set(self, {name!r}, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()\n")
    exec(f"def __init__({', '.join(parameters)}):\n{''.join(lines) or ' pass'}", scope)
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {
        name: hint
        for base in reversed(cls.__mro__)
        for name, hint in getattr(base, "__annotations__", {}).items()
        if name in every
    }
    return made


def _represented(instance: object, names: list[str]) -> str:
    values = ", ".join(f"{name}={getattr(instance, name)!r}" for name in names)
    return f"{type(instance).__qualname__}({values})"


def _refuse_to_set(instance: object, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(instance: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(instance: object, every: dict[str, Any], state: tuple[Any, ...]) -> None:
    """What pickle has of an instance becomes one."""
    for name, value in zip(every, state, strict=True):
        object.__setattr__(instance, name, value)
