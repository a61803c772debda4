from __future__ import annotations

import inspect
import pickle
from dataclasses import (
    KW_ONLY,
    FrozenInstanceError,
    dataclass,
    field,
    fields,
    is_dataclass,
    replace,
)
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from lab.frozen import frozen


@frozen
class Point:
    """A class as the lab has them."""

    x: int
    y: int = 0
    names: list[str] = field(default_factory=list, compare=False)
    hidden: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Stock:
    """The same, as the standard library makes it."""

    x: int
    y: int = 0
    names: list[str] = field(default_factory=list, compare=False)
    hidden: str = field(default="", repr=False)


@frozen
class One:
    """With a field alone, and a look at it."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("negative")

    def __str__(self) -> str:
        return f"one {self.value}"


@frozen
class Nothing:
    """Without any."""


@frozen
class OwnWay:
    """One that compares in its own way."""

    value: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnWay)

    def __hash__(self) -> int:
        return 7


BOTH: list[type[Any]] = [Point, Stock]


@pytest.mark.parametrize("made", BOTH)
def test_it_is_what_the_standard_library_makes(made: type[Any]) -> None:
    point = made(1, hidden="h")
    assert repr(point) == f"{made.__name__}(x=1, y=0, names=[])"
    assert point == made(1, 0, ["other"], "h") and point != made(2, hidden="h")
    assert hash(point) == hash(made(1, 0, ["other"], "h"))
    assert point != 1 and point.__eq__(1) is NotImplemented
    assert made.__match_args__ == ("x", "y", "names", "hidden")
    assert [each.name for each in fields(point)] == [*point.__slots__]
    assert replace(point, y=3) == made(1, 3, hidden="h")
    assert made(1).names is not made(1).names
    assert not hasattr(point, "__dict__") and is_dataclass(point)
    with pytest.raises(TypeError):
        made()
    with pytest.raises(TypeError):
        made(1, z=2)


@pytest.mark.parametrize("made", BOTH)
def test_it_is_frozen(made: type[Any]) -> None:
    point = made(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert point.x == 1


def test_it_has_no_room_for_another_attribute() -> None:
    point: Any = Point(1)
    with pytest.raises(AttributeError):
        point.z = 2


def test_it_goes_through_a_pickle() -> None:
    for value in (Point(1, 2, ["n"], "h"), One(3), Nothing()):
        back = pickle.loads(pickle.dumps(value, protocol=5))
        assert back == value
    assert pickle.loads(pickle.dumps(Point(1, 2, ["n"], "h"))).names == ["n"]


def test_what_the_class_defines_itself_is_kept() -> None:
    assert str(One(1)) == "one 1"
    assert OwnWay(1) == OwnWay(2) and hash(OwnWay(1)) == 7
    with pytest.raises(ValueError, match="negative"):
        One(-1)


@frozen
class Above(Point):
    """One made from another, with a field of its own and a default that is another."""

    hidden: str = "other"
    more: int = 0


@dataclass(frozen=True)
class StockAbove(Stock):
    """The same, as the standard library makes it."""

    hidden: str = "other"
    more: int = 0


def test_one_made_from_another_has_its_fields() -> None:
    assert repr(Above(1, more=2)) == "Above(x=1, y=0, names=[], hidden='other', more=2)"
    assert repr(StockAbove(1, more=2)) == repr(Above(1, more=2)).replace("Above", "StockAbove")
    assert [each.name for each in fields(Above)] == [each.name for each in fields(StockAbove)]
    assert replace(Above(1), y=5) == Above(1, 5) != Point(1, 5)
    assert isinstance(Above(1), Point) and not hasattr(Above(1), "__dict__")


@pytest.mark.parametrize("made", BOTH)
def test_its_signature_and_its_fields_are_the_librarys(made: type[Any]) -> None:
    # Before any instance was made.
    signature = inspect.signature(made)
    assert [*signature.parameters] == ["x", "y", "names", "hidden"]
    assert signature.parameters["y"].default == 0
    stock = {each.name: each for each in fields(Stock)}
    for each in fields(made):
        other = stock[each.name]
        assert (each.type, each.default, each.compare, each.repr) == (
            other.type, other.default, other.compare, other.repr,
        )  # fmt: skip
    assert not hasattr(made, "y") or not isinstance(made.y, int)


T = TypeVar("T")


class Noted:
    """What notes the classes made from it."""

    names: ClassVar[set[type]] = set()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.names.add(cls)


@frozen
class Holds(Noted, Generic[T]):
    """One that holds anything."""

    value: T
    more: int = 0


@frozen
class HoldsMore(Holds[T]):
    """One made from that."""

    name: str = ""


def test_its_fields_are_looked_at_without_another_class_like_it() -> None:
    noted = len(Noted.names)
    assert replace(HoldsMore(1), value=2) == HoldsMore(2)
    assert [each.name for each in fields(HoldsMore)] == ["value", "more", "name"]
    assert [each.name for each in fields(Holds)] == ["value", "more"]
    assert len(Noted.names) == noted


def test_what_cannot_be_a_dataclass_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="without a default"):

        @frozen
        class Late:
            first: int = 0
            second: str  # type: ignore[misc]  # what is refused

    with pytest.raises(ValueError, match="mutable default"):

        @frozen
        class Shared:
            names: list[str] = []  # noqa: RUF012  what is refused

    with pytest.raises(ValueError, match="mutable default"):

        @frozen
        class SharedField:
            names: list[str] = field(default=[])  # what is refused

    with pytest.raises(TypeError, match="every annotation is a field's"):

        @frozen
        class Marked:
            first: int
            _: KW_ONLY
            second: int

    with pytest.raises(TypeError, match="every annotation is a field's"):

        @frozen
        class Constant:
            limit: ClassVar[int] = 3


def test_a_pattern_takes_it_apart() -> None:
    match Point(1, 2):
        case Point(x, y=2):
            assert x == 1
        case _:
            pytest.fail("it did not match")
