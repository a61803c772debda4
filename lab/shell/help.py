"""What a session says of itself."""

from __future__ import annotations

HELP = """\
HOST COMMAND    run a command on a host; a host's name in it stands for its address
HOST COMMAND &  the same as a job: the next line need not wait
jobs            the jobs; what they have written
kill N          end a job by SIGTERM
hosts           the hosts and their addresses
links           the links
wire RULE       from now on a rule for frames on a link: wire h1>s1 drop SYN 1 (docs/wire.md)
wire LINK off   its rules end; wire alone lists those that hold
link A B down   the cable is cut, or up: joined again
ladder          what has happened so far, drawn
pingall         one ping from each host to each other
help            this
quit            end all programs, judge what was seen, and save it; Ctrl-D does so too
docs/shell.md has more of it."""
