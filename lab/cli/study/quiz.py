"""`wirelab quiz`: questions that recorded runs answer, asked in the terminal."""

from __future__ import annotations

import random
import sys

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.report.terminal.page import Page
    from lab.study.quiz import Item


def execute(options: Namespace) -> int:
    """Ask until the questions or the input end, and say the score."""
    from lab.cli.study.recorded import recorded_runs
    from lab.errors import UsageError
    from lab.report.terminal.page import Page
    from lab.study.exercise import Topic
    from lab.study.quiz import make_quiz

    runs = recorded_runs(options.names, options.out)
    steps = [pair for run in runs for pair in zip(run.timelines, run.ladders, strict=True)]
    seed = random.randrange(1 << 16) if options.seed is None else options.seed
    kinds = [kind for kind in Topic if kind.value in options.about]
    quiz = make_quiz(steps, options.questions, seed, kinds)
    if not quiz.items:
        raise UsageError("these runs answer no question: they have neither TCP segments nor calls")
    page = Page(ascii_only=options.ascii)
    if sys.stdin.isatty():
        _say(page, "? says how an answer is written, Ctrl-D ends the quiz.")
    for number, item in enumerate(quiz.items, 1):
        _show(item, page, f"Exercise {number} of {len(quiz.items)}")
        typed = _answer(item, page)
        if typed is None:
            break
        is_right = quiz.answer(item, typed)
        said = "Right" if is_right else f"No: {item.exercise.answer}"
        _say(page, f"{said}. {item.exercise.why}")
    page.print([page.style.heading("Score")])
    _say(page, f"{quiz.right} of {quiz.answered} right. The same questions again: --seed {seed}")
    return 0


def _show(item: Item, page: Page, heading: str) -> None:
    from lab.report.terminal.drawing.ladder import draw_ladder

    page.print([page.style.heading(heading)])
    if item.ladder.rows:
        page.print(draw_ladder(item.ladder, page.style))
    _say(page, item.exercise.text)
    for letter, choice in item.lettered:
        _say(page, f"  {letter}  {choice}")
    sys.stdout.flush()


def _say(page: Page, text: str) -> None:
    from rich.text import Text

    page.print(map(Text, page.style.wrap(text, page.style.width)))


def _answer(item: Item, page: Page) -> str | None:
    """What is typed; at a terminal it is asked for again until it can be an answer."""
    from lab.study.quiz import how_to_answer

    while True:
        typed = _typed()
        if typed is None or not sys.stdin.isatty():
            return typed
        how = how_to_answer(item, typed)
        if not how:
            return typed
        _say(page, how)


def _typed() -> str | None:
    """A line of what is typed; None at its end, and where Ctrl-C ends it."""
    try:
        return input("> " if sys.stdin.isatty() else "")
    except (EOFError, KeyboardInterrupt):
        print()
        return None
