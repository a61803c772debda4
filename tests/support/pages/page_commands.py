"""The commands on the documentation's pages, and the folder that each page's are typed in."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from house import ROOT
from scenes import RECORDINGS

from lab.frozen import frozen
from site_pages.blocks import blocks_of
from site_pages.staging import docs_pages
from site_pages.typed import make_folder, typed

NOT_RUN = "not run: "
"""How the comment above a block of commands begins that no test types; the reason follows."""

ENDS_WITH = re.compile(r"ends with (\d)(?: or (\d))?")
"""How the comment begins above commands that end with another status than 0."""

BY_OTHERS = {
    "docs/grading.md": "tests/grading/test_documented.py",
    "docs/gradescope.md": "tests/docs/test_gradescope.py",
    "docs/grading-programs.md": "tests/cli/expected/test_grade_documented.py",
    "tshark ": "tests/project/test_documented_tshark.py",
    "python3 -c 'from importlib.resources": "tests/project/test_wheel.py",
    "make scenarios": "tests/scenarios/test_every_scenario.py",
    "./wirelab scenarios": "tests/scenarios/test_every_scenario.py",
    "./wirelab step ": "tests/cli/test_step.py",
    "./wirelab play ": "tests/cli/stepped/test_play.py",
    "./wirelab run tcp --wire @rules": "tests/cli/test_step.py",
}
"""By page, or by how a command begins: the test that types it, or does the same."""

WHY_NOT = {
    "docs/command.md": "a synopsis of all commands",
    "ARCHITECTURE.md": "a drawing",
    "./wirelab play": "needs a terminal: tests/screen plays one",
    "wirelab show capture.pcap --parquet": "needs pyarrow, which is an extra",
    "pip install": "installs packages",
    "wirelab show <(ssh gateway": "there is no machine called gateway",
    "make test": "what this test is a part of",
    "sudo make test": "what this test is a part of",
    "make check": "make lint and make test",
    "make docs": "a line of .ci/run",
    "make lint": "a line of .ci/run",
    "make blind": "a line of .ci/run",
    "make coverage": "what .ci/run has make test say as well",
    "make soak": "takes an hour",
    "make bench-": "measures, for minutes",
}
"""The same of what no test types, and why: on pages whose words are counted, or drawn."""

TOOLS = ("curl", "nc", "iperf3", "openssl", "ping")
"""Programs that commands call and a machine may lack."""

LOST = "the tracer lost"
"""Said of a run that a busy machine has spoilt: it is typed again."""

SERVER = """\
#!/usr/bin/env python3
\"\"\"A web server: one request, one answer. The port, or a unix socket's path.\"\"\"
import socket, sys
where = sys.argv[1]
if where.isdigit():
    s = socket.create_server(("::", int(where)), family=socket.AF_INET6, dualstack_ipv6=True)
else:
    s = socket.socket(socket.AF_UNIX)
    s.bind(where)
    s.listen()
c, _ = s.accept()
c.recv(4096)
c.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nOK\\n")
c.close()
"""
CLIENT = """\
#!/usr/bin/env python3
\"\"\"A request, and all of the answer. A unix socket's path, or an address and a port.\"\"\"
import socket, sys
if len(sys.argv) == 2:
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
else:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
while s.recv(4096):
    pass
"""


@frozen
class PageCommand:
    """What a reader of a page types."""

    page: str
    text: str
    statuses: tuple[int, ...]
    """The exit statuses that it may have."""
    why_not: str
    """Why no test types it; "" if this one does."""
    by: str
    """The test that types it instead, a path; "" if there is none."""

    @property
    def is_typed(self) -> bool:
        """Whether it is to be typed here."""
        return not self.why_not and not self.by


def page_commands() -> dict[str, list[PageCommand]]:
    """By page, what is typed on it, in order. Pages without commands are left out."""
    found: dict[str, list[PageCommand]] = {}
    pages = [("README.md", (ROOT / "README.md").read_text("utf-8")), *docs_pages()]
    for page, text in pages:
        commands = [*_commands(page, text)]
        if commands:
            found[page] = _without_plain_runs(commands)
    return found


def _commands(page: str, text: str) -> Iterator[PageCommand]:
    for block in blocks_of(text):
        ends = ENDS_WITH.match(block.remark)
        statuses = tuple(int(each) for each in ends.groups() if each) if ends else (0,)
        reason = block.remark.removeprefix(NOT_RUN) if block.remark.startswith(NOT_RUN) else ""
        for command in block.commands:
            why_not = reason or _listed(WHY_NOT, page, command)
            yield PageCommand(page, command, statuses, why_not, _listed(BY_OTHERS, page, command))


def _listed(table: dict[str, str], page: str, command: str) -> str:
    return next((v for k, v in table.items() if k == page or command.startswith(k)), "")


def _without_plain_runs(commands: list[PageCommand]) -> list[PageCommand]:
    """A scenario's plain run is every scenario's test; it is typed where its files are used."""
    made = []
    for place, command in enumerate(commands):
        plain = re.fullmatch(r"\./wirelab run ([a-z-]+)( -v| -q)?", command.text)
        rest = " ".join(later.text for later in commands[place + 1 :])
        if plain and plain[1] != "hello" and f"runs/{plain[1]}" not in rest:
            by = "tests/scenarios/test_every_scenario.py"
            command = PageCommand(command.page, command.text, command.statuses, "", by)
        made.append(command)
    return made


def missing_tool(command: str) -> str:
    """The program that a command needs and that is not installed; "" where there is none."""
    words = set(re.findall(r"[\w.-]+", command))
    return next((tool for tool in TOOLS if tool in words and shutil.which(tool) is None), "")


def prepare(folder: Path, page: Sequence[PageCommand]) -> None:
    """Put into a folder what pages take for granted; what takes long, where this one does."""
    make_folder(folder)
    root = f'exec {shutil.which("make")} --no-print-directory -C "{ROOT}" OUT="$PWD/runs" "$@"'
    for name, text in (
        ("bin/make", f"#!/bin/sh\n{root}\n"),
        ("bin/sudo", '#!/bin/sh\nexec "$@"\n'),
        ("server", SERVER),
        ("client", CLIENT),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    recorded = RECORDINGS / "traced-tcp4"
    shutil.copytree(recorded, folder / "runs/tcp/recorded")
    (folder / "runs/tcp/latest").symlink_to("recorded")
    shutil.copytree(recorded, folder / "DIR")
    for name in ("FILE", "FILE.pcapng"):
        shutil.copyfile(recorded / "recording.pcapng", folder / name)
    # docs/capture-files.md asks for what a seventh connection sends again.
    shutil.copyfile(RECORDINGS / "backlog4/recording.pcapng", folder / "capture.pcapng")
    # Two students of docs/sheets.md, each with a program for one of the sheets.
    (folder / "handed-in").mkdir()
    for sheet, student in (("tcp_echo", "ann"), ("udp_transfer", "bob")):
        right = ROOT / "sheets/solutions" / sheet / "right.py"
        shutil.copyfile(right, folder / "handed-in" / f"{student}.py")
    words = " ".join(each.text for each in page if each.is_typed)
    if "lessons" in words:
        (folder / "lessons").mkdir()
        typed("./wirelab new hello --scenarios lessons", folder)
    if "cert.pem" in words and shutil.which("openssl") is not None:
        _certify(folder)


def _certify(folder: Path) -> None:
    """Put a key and its certificate into a folder."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
    words = [*command.split(), "-subj", "/CN=server"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=60)


def typed_again(command: str, folder: Path) -> tuple[str, int]:
    """What a command prints and ends with; again, where a busy machine has spoilt its run."""
    for _ in range(3):
        done = typed(command, folder)
        if LOST not in done.text:
            break
    return done.text, done.status
