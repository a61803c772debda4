"""Edits of what programs printed and of what a capture saw, for recordings of any scenario."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import reduce

import recorded as r

from lab.analysis.flows.bracket import find_brackets
from lab.records import Direction, Frame, Recording

STRAY = b"\xff" * 6 + bytes(6) + b"\x88\xb5" + b"a frame that nobody should have sent".ljust(46)


def only(recording: Recording, steps: tuple[str, ...]) -> Recording:
    """A run of some of the steps, which is judged sooner."""
    canaries = tuple(canary for canary in recording.canaries if canary.step in steps)
    payloads = {canary.payload for canary in canaries}
    brackets = (each for each in find_brackets(recording) if each.step in steps)
    kept = [frame for bracket in brackets for frame in bracket.frames]
    kept += [frame for frame in recording.frames if frame.data[r.ETHERNET :] in payloads]
    programs = tuple(run for run in recording.programs if run.step in steps)
    return r.with_frames(replace(recording, canaries=canaries, programs=programs), kept)


def told(program: str, old: str, new: str, count: int = -1, *, after: str = "") -> r.Edit:
    """A program that printed something else behind a text; `old` must be there."""

    def change(text: str) -> str:
        head, found, tail = text.partition(after) if after else ("", "", text)
        assert old in tail, f"{program} printed no {old!r}"
        return head + found + tail.replace(old, new, count)

    return r.printed(program, change)


def line_gone(program: str, start: str, *, after: str = "") -> r.Edit:
    """A program that did not print the first line that starts so behind a text."""

    def change(text: str) -> str:
        head, found, tail = text.partition(after) if after else ("", "", text)
        lines = tail.splitlines(keepends=True)
        lines.remove(next(line for line in lines if line.startswith(start)))
        return head + found + "".join(lines)

    return r.printed(program, change)


def leaked(step: str, point: str) -> r.Edit:
    """One more frame, seen leaving a point while the step's first program ran."""

    def edit(recording: Recording) -> Recording:
        time_ns = next(run for run in recording.programs if run.step == step).started_ns
        frame = Frame(time_ns, point, Direction.OUT, STRAY, len(STRAY))
        return r.with_frames(recording, [*recording.frames, frame])

    return edit


def cut_off_in(step: str) -> r.Edit:
    """A capture that ended while the step's programs ran."""

    def edit(recording: Recording) -> Recording:
        end_ns = min(run.ended_ns for run in recording.programs if run.step == step)
        return r.with_frames(recording, [f for f in recording.frames if f.time_ns < end_ns])

    return edit


def garbled(recording: Recording, seed: int) -> Recording:
    """Lines of every program lost, in another order, cut off, and some characters changed."""
    chance = random.Random(seed)

    def garble(text: str) -> str:
        lines = [line for line in text.splitlines() if chance.random() < 0.8]
        if chance.random() < 0.5:
            chance.shuffle(lines)
        whole = "\n".join(lines).replace(chance.choice("3456 'b,"), chance.choice("3456 [,("))
        return whole[: chance.randrange(len(whole) + 1)]

    edits = (r.printed(run.name, garble) for run in recording.programs)
    return reduce(lambda edited, edit: edit(edited), edits, recording)
