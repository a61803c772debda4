"""Parts of the analysis that are remembered while tests run.

Most pure tests judge a recording again with one thing changed. What stays need not be worked out
again, which was more than half of the time that they took: frames, programs' outputs, flows and
traces are frozen values, and what each of these functions makes of them is another, the same for
the same one.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

from lab.analysis import assembly
from lab.analysis.flows import crossings
from lab.analysis.plain.decode import PlainDecoder
from lab.records import Frame, Recording

VALUES = 20_000
"""More than all recordings have; what is changed at random goes as it came."""
WHOLES = 500
"""Steps' flows and traces: more than are looked at by turns."""
MANY = 2000
"""Frames of a step that is none of a recording here, and is looked at once."""

_AS_ITSELF, _BY_VALUE = "i", "v"

_WHOLE = {
    "find_brackets": _AS_ITSELF,
    "_build_timeline": _AS_ITSELF + _AS_ITSELF + _BY_VALUE,
    "join_crossings": "",
    "group_flows": _AS_ITSELF,
    "analyse_tcp": _AS_ITSELF + _BY_VALUE,
    "of_step": _AS_ITSELF + _BY_VALUE,
    "follow": _AS_ITSELF,
    "decode": _AS_ITSELF + _AS_ITSELF + _BY_VALUE + _BY_VALUE,
    "find_endpoints": _AS_ITSELF * 3 + _BY_VALUE + _AS_ITSELF,
}
"""The functions that timelines are assembled with, and how their arguments are distinguished: a
large one is the same only where it is the same object, since comparing it would take as long."""

FUNCTIONS = (*_WHOLE, "parse_transcript")
"""Those of lab.analysis.assembly that are remembered."""


def remember() -> None:
    """From now on work out each thing once."""
    for module, name in ((crossings, "dissect"), (assembly, "parse_transcript")):
        setattr(module, name, lru_cache(VALUES)(getattr(module, name)))
    setattr(crossings, PlainDecoder.__name__, _RememberingDecoder)
    for name, arguments in _WHOLE.items():
        setattr(assembly, name, remembering(getattr(assembly, name), arguments))


def remembering(function: Callable[..., Any], arguments: str) -> Callable[..., Any]:
    """The function, with its latest results; without `arguments` all are distinguished by value."""
    known: OrderedDict[Hashable, tuple[tuple[Any, ...], Any]] = OrderedDict()

    @functools.wraps(function)
    def remembering(*given: Any) -> Any:
        if any(map(_is_large, given)):
            return function(*given)
        ways = arguments or _BY_VALUE * len(given)
        key = tuple(
            id(each) if way == _AS_ITSELF else each for each, way in zip(given, ways, strict=True)
        )
        found = known.get(key)
        if found is None:
            # With what was given: while that is there, nothing else has its identity.
            found = known[key] = given, function(*given)
            if len(known) > WHOLES:
                known.popitem(last=False)
        else:
            known.move_to_end(key)
        return found[1]

    return remembering


def _is_large(given: object) -> bool:
    """Whether it has more frames than a recording here."""
    frames = given.frames if isinstance(given, Recording) else given
    return isinstance(frames, tuple) and len(frames) > MANY


_decoded = lru_cache(VALUES)(PlainDecoder(tunnels=False).decode)


class _RememberingDecoder(PlainDecoder):
    """What makes packets of plain frames, each once."""

    def __init__(self, *, tunnels: bool = False) -> None:
        super().__init__(tunnels=tunnels)
        if not tunnels:
            self.decode = self._remembered  # type: ignore[method-assign]

    def _remembered(self, frame: Frame, *, is_right: bool = False) -> Any:
        return _decoded(frame)
