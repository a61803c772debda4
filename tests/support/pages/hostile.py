"""A run in which everything that a program or a file can name is hostile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scenes import recorded_result

from lab.analysis.assembly import build_timelines
from lab.records import LineUse, SourceLine
from lab.results import Result

HOSTILE = (
    '<script>window.hacked = 1</script>"onload="window.hacked = 1" \'<img src=x '
    "onerror=window.hacked=1> ]]> </script> \u202e \0 \x1b[2J \ud800 {{ 7 * 7 }}"
)
LONG = "x" * 10_000


def hostile_result() -> Result:
    """The recorded run of tcp, traced, with such names, arguments, bytes and words."""
    result = recorded_result("traced-tcp4")
    recording = result.recording
    data = HOSTILE.encode("utf-8", "surrogatepass")
    frames = tuple(
        replace(
            frame, data=frame.data[:66] + data[: len(frame.data) - 66], wire_bytes=len(frame.data)
        )
        if len(frame.data) > 66
        else frame
        for frame in recording.frames
    )
    (timeline,) = build_timelines(replace(recording, frames=frames))
    calls = tuple(
        replace(
            call,
            arguments=tuple(
                replace(argument, name=HOSTILE, text=HOSTILE + LONG) for argument in call.arguments
            ),
            error=HOSTILE,
            data=data,
            socket=HOSTILE,
        )
        for call in timeline.system_calls
    )
    programs = tuple(
        replace(run, argv=(HOSTILE, LONG), failure=HOSTILE, stdout=HOSTILE)
        for run in timeline.programs
    )
    interfaces = tuple(replace(seen, name=HOSTILE) for seen in recording.interfaces)
    line = SourceLine(HOSTILE, 2, HOSTILE, HOSTILE, 1, (HOSTILE, HOSTILE + LONG, HOSTILE))
    uses = tuple(
        LineUse(call.program, call.tid, 0, call.entry_ns, call.entry_ns, timeline.step)
        for call in calls
    )
    changed = replace(
        timeline,
        recording=replace(
            recording,
            interfaces=interfaces,
            kernel=HOSTILE,
            source_lines=(line,),
            line_uses=uses,
        ),
        system_calls=calls,
        programs=programs,
    )
    judgements = tuple(
        replace(each, verdict=replace(each.verdict, why=HOSTILE)) for each in result.judgements
    )
    lesson = result.judged_by.lesson
    assert lesson is not None
    return replace(
        result,
        timelines=(changed,),
        judgements=judgements,
        title=HOSTILE,
        judged_by=replace(result.judged_by, lesson=replace(lesson, question=HOSTILE)),
        folder=Path(),
    )
