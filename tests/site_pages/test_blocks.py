"""Blocks of code, and what is typed in them."""

from __future__ import annotations

from site_pages.blocks import blocks_of

PAGE = """\
# A page

    wirelab run tcp        # a stream
    what it prints

Words, and a list:

- an item

    that goes on, and is no code

Words again.

<!-- not run: for macOS -->

```console
$ brew install lima
==> it says so
$ printf 'a
```

~~~python
    import os
~~~

    ./wirelab run \\
        --client true
"""


def test_indented_and_fenced_blocks_are_found_in_their_order() -> None:
    first, console, python, last = blocks_of(PAGE)
    assert (first.is_fenced, first.lines[0]) == (False, "wirelab run tcp        # a stream")
    assert (console.language, console.remark) == ("console", "not run: for macOS")
    assert (python.language, python.lines) == ("python", ("    import os",))
    assert last.lines == ("./wirelab run \\", "    --client true")


def test_a_blocks_place_is_that_of_its_lines() -> None:
    lines = PAGE.split("\n")
    for block in blocks_of(PAGE):
        inside = [line.strip() for line in lines[block.first : block.end]]
        assert inside == [line.strip() for line in block.lines]


def test_commands_are_what_is_typed_and_not_what_is_printed() -> None:
    first, console, python, last = blocks_of(PAGE)
    assert first.commands == ("wirelab run tcp",)
    assert console.commands == ("brew install lima", "printf 'a")
    assert python.commands == ()
    assert last.commands == ("./wirelab run     --client true",)


def test_a_remark_is_of_the_block_below_it_alone() -> None:
    text = "<!-- said -->\n\n    make a\n\nWords.\n\n    make b\n"
    assert [block.remark for block in blocks_of(text)] == ["said", ""]


def test_a_fence_within_a_longer_one_is_its_text() -> None:
    text = "~~~~ text\n```\nmake a\n```\n~~~~\n"
    (block,) = blocks_of(text)
    assert block.lines == ("```", "make a", "```")
