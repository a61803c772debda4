"""What a session says of itself."""

from __future__ import annotations

HELP = """\
HOST COMMAND    run a command on a host; a host's name in it stands for its address
HOST COMMAND &  the same as a job: the next line need not wait
jobs            the jobs; what they have written
kill N          end a job by SIGTERM
hosts           the hosts and their addresses
links           the links
help            this
quit            end all programs, judge what was seen, and save it; Ctrl-D does so too
docs/shell.md has more of it."""
