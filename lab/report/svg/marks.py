"""SVG's elements as text: what is drawn, escaped."""

from __future__ import annotations

from html import escape
from math import atan2, cos, sin

from lab.report.svg.visible import visible

HEAD_LENGTH = 8.0


def text_at(x: float, y: float, text: str, classes: str = "", anchor: str = "start") -> str:
    """A line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}"{_anchor(anchor)}{_class(classes)}>{_safe(text)}</text>'


def spans_at(
    x: float, y: float, spans: list[tuple[str, str]], classes: str = "", anchor: str = "start"
) -> str:
    """A line of text in pieces, each with its classes."""
    inner = "".join(f"<tspan{_class(each)}>{_safe(text)}</tspan>" for text, each in spans if text)
    return f'<text x="{x:.1f}" y="{y:.1f}"{_anchor(anchor)}{_class(classes)}>{inner}</text>'


def box(x: float, y: float, width: float, height: float, classes: str, radius: float = 0) -> str:
    """A filled rectangle."""
    rounded = f' rx="{radius:g}"' if radius else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f"{rounded}{_class(classes)}/>"
    )


def line(x1: float, y1: float, x2: float, y2: float, classes: str) -> str:
    """A line without a head."""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"{_class(classes)}/>'


def arrow(x1: float, y1: float, x2: float, y2: float, classes: str, more: str = "arrow") -> str:
    """A line with a head at its end."""
    angle = atan2(y2 - y1, x2 - x1)
    points = [(x2, y2)]
    for turn in (2.7, -2.7):
        points.append((x2 + HEAD_LENGTH * cos(angle + turn), y2 + HEAD_LENGTH * sin(angle + turn)))
    head = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return (
        f"<g{_class(classes)}>{line(x1, y1, x2 - 4 * cos(angle), y2 - 4 * sin(angle), more)}"
        f'<path d="M{head}Z" class="head"/></g>'
    )


def cross(x: float, y: float, classes: str) -> str:
    """The end of what never arrives."""
    size = 5.0
    return (
        f'<g{_class(classes)}><path class="arrow" d="M{x - size:.1f} {y - size:.1f}'
        f"L{x + size:.1f} {y + size:.1f}M{x - size:.1f} {y + size:.1f}"
        f'L{x + size:.1f} {y - size:.1f}"/></g>'
    )


def titled(title: str, inner: str) -> str:
    """A group with a tooltip."""
    return f"<g><title>{_safe(title)}</title>{inner}</g>"


def _safe(text: str) -> str:
    return escape(visible(text))


def _class(classes: str) -> str:
    return f' class="{escape(classes)}"' if classes else ""


def _anchor(anchor: str) -> str:
    return "" if anchor == "start" else f' text-anchor="{anchor}"'
