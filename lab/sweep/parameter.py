"""What a sweep varies: a name and its values, as `--over loss=0,1,2,5` has them."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping

from lab.errors import UsageError, did_you_mean
from lab.frozen import frozen

ParameterValue = int | float | str
"""One value of a parameter."""


class Kind(enum.Enum):
    """What a parameter changes of a run."""

    FAMILY = "the IP version"
    TRACE = "what traces the programs' system calls"
    LINK = "what every link does to frames, or one way of one link"
    RULE = "a rule of the wire, in its own words"
    SYSCTL = "a setting of the hosts' kernels"
    OWN = "a parameter of the scenario's own"


OF_LINKS = ("rate", "queue", "delay", "jitter", "loss")
"""In the order in which a frame meets them: it waits for its turn, travels, and may be lost."""
_UNITS = {"rate": "bit/s", "queue": "frames", "delay": "ms", "jitter": "ms", "loss": "%"}
CONGESTION = "congestion"
_SYSCTL_OF = {CONGESTION: "net.ipv4.tcp_congestion_control"}
"""Parameters that are sysctls by a shorter name."""
FAMILY, TRACE, WIRE = "family", "trace", "wire"
NO_RULE = "none"
"""The value of `wire` that is no rule."""
TRACES = ("auto", "bpf", "ptrace", "none")
FAMILIES = (4, 6)
KNOWN = (*OF_LINKS, *_SYSCTL_OF, FAMILY, TRACE, WIRE)
COLUMNS = frozenset({
    "key", "scenario", "seed", "outcome", "failure", "holds", "broken", "undecided", "skipped",
    "not_held", "began", "took_s", "lasted_s", "handshake_s", "frames", "lost", "wire_bytes",
    "payload_bytes", "retransmissions", "goodput_bps", "counters", "machine", "kernel", "kept",
})  # fmt: skip
"""Names that a table's other columns have."""
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.=,+-]+")
_MOST_VALUES = 1000


@frozen
class Parameter:
    """One thing that differs between the runs of a sweep."""

    name: str
    """As it was written; also the name of its column."""
    kind: Kind
    values: tuple[ParameterValue, ...]

    @property
    def way(self) -> str:
        """Of a LINK, the way it is about, "client>server"; "" for every link, both ways."""
        return self.name.rpartition(":")[0]

    @property
    def of_link(self) -> str:
        """Of a LINK, which of OF_LINKS it is."""
        return self.name.rpartition(":")[2]

    @property
    def words(self) -> str:
        """Its name with the unit of values that are plain numbers: "loss, %"."""
        known = _UNITS.get(self.of_link if self.kind is Kind.LINK else self.name)
        return f"{self.name}, {known}" if known and is_number(self) else self.name

    @property
    def sysctl(self) -> str:
        """Of a SYSCTL, its name as Topology.with_sysctls takes it."""
        return _SYSCTL_OF.get(self.name, self.name)


def parameters_of(words: Iterable[str], own: Mapping[str, ParameterValue]) -> tuple[Parameter, ...]:
    """The parameters that these words are, such as "loss=0,1,2,5", in their order.

    `own` are the names of parameters that all the scenarios have by themselves, with their
    defaults. Raises UsageError.
    """
    found: dict[str, Parameter] = {}
    for text in words:
        one = _parameter(text, own)
        if one.name in found:
            raise UsageError(f"--over {one.name} is there twice: give all its values at once")
        found[one.name] = one
    _check_together(found.values())
    return tuple(found.values())


def _parameter(text: str, own: Mapping[str, ParameterValue]) -> Parameter:
    name, equals, rest = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise UsageError(f"--over {text!r}: write NAME=VALUE,VALUE, such as loss=0,1,5")
    kind = _kind(name, own)
    # An expression of bpf may have commas of its own.
    is_one = kind is Kind.RULE and ("'" in rest or '"' in rest)
    words = [rest] if is_one else rest.split(",")
    values = tuple(_value(name, kind, each.strip()) for each in words)
    if len(values) > _MOST_VALUES:
        raise UsageError(f"--over {name} has {len(values)} values: {_MOST_VALUES} at most")
    if twice := [value for place, value in enumerate(values) if value in values[:place]]:
        raise UsageError(f"--over {name} has the value {twice[0]} twice")
    if kind is Kind.OWN:
        values = tuple(_as_the_default(name, each, own[name]) for each in values)
    return Parameter(name, kind, values)


def _kind(name: str, own: Mapping[str, ParameterValue]) -> Kind:
    last = name.rpartition(":")[2]
    if name in own:
        return Kind.OWN
    if name == FAMILY:
        return Kind.FAMILY
    if name == TRACE:
        return Kind.TRACE
    if name == WIRE:
        return Kind.RULE
    if last in OF_LINKS:
        return Kind.LINK
    if name in _SYSCTL_OF or "." in last or "/" in last:
        return Kind.SYSCTL
    known = (*own, *KNOWN)
    near = did_you_mean(last, known)
    there_are = "" if near else f"; there are: {', '.join(known)}, and sysctls (docs/sweep.md)"
    raise UsageError(f"--over: there is no parameter {name!r}{near}{there_are}")


def _value(name: str, kind: Kind, text: str) -> ParameterValue:
    if not text:
        raise UsageError(f"--over {name} has an empty value")
    if kind is Kind.LINK and name.rpartition(":")[2] == "loss":
        text = text.removesuffix("%")
    value: ParameterValue = text
    if match := _NUMBER.fullmatch(text):
        value = float(text) if match[2] else int(text)
    if kind is Kind.FAMILY and value not in FAMILIES:
        raise UsageError(f"--over {name}: {text!r} is no IP version; there are 4 and 6")
    if kind is Kind.TRACE and value not in TRACES:
        raise UsageError(
            f"--over {name}: there is no {text!r}{did_you_mean(text, TRACES)}; "
            f"there are {', '.join(TRACES)}"
        )
    return value


def _as_the_default(name: str, value: ParameterValue, default: ParameterValue) -> ParameterValue:
    """The value as the type that the scenario's own default has."""
    if isinstance(default, str):
        return str(value)
    if isinstance(value, str) or (isinstance(default, int) and isinstance(value, float)):
        what = "a whole number" if isinstance(default, int) else "a number"
        raise UsageError(f"--over {name}: {value!r} is not {what}, as {default!r} is")
    return value


def _check_together(parameters: Iterable[Parameter]) -> None:
    names = {each.name for each in parameters}
    for each in parameters:
        if each.kind is Kind.LINK and each.of_link == "queue":
            rate = f"{each.way}:rate" if each.way else "rate"
            if rate not in names:
                raise UsageError(
                    f"--over {each.name}: a queue is that of a rate; give {rate} too, "
                    f"such as --over {rate}=5M"
                )


def file_name(text: str) -> str:
    """The text as a name of a file: other letters than those of ASCII and "=,+-." are "_"."""
    return _NOT_IN_FILE_NAMES.sub("_", text)


def is_number(parameter: Parameter) -> bool:
    """Whether all its values are numbers, so that there is a distance between them."""
    return all(isinstance(value, int | float) for value in parameter.values)
