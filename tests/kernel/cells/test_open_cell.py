"""A cell at work: whom it holds, and that nothing of it is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from outside import marked, wait_until
from step_programs import HANG, READY, in_cell, python, run, run_code, run_in_cells

from lab.errors import DoesNotFitError, UsageError
from lab.kernel.confinement import confine
from lab.kernel.sandbox.sandbox import open_sandbox
from lab.model.allowed import Allowed, Cell, Limits
from lab.model.program import Program, Step
from lab.records import Limit, ProgramRun

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ann"
    made.mkdir()
    (made / "echo.py").write_text("print('echo')\n")
    return made


def lines(run: ProgramRun) -> list[str]:
    assert (run.failure, run.stderr) == ("", "")
    return run.stdout.splitlines()


def test_it_has_a_copy_of_the_folder_that_is_gone_afterwards(marker: str, folder: Path) -> None:
    write = "import os; print(os.getcwd(), os.listdir('.')); open('new', 'w').write('x')"
    for _ in range(2):
        assert lines(run_code(folder, write)) == ["/submission ['echo.py']"]
    assert [path.name for path in folder.iterdir()] == ["echo.py"]


def test_it_runs_its_own_files_by_relative_names(marker: str, folder: Path) -> None:
    (folder / "run.sh").write_text("#!/bin/sh\necho $0 $HOME $TMPDIR; env | wc -l; id -un\n")
    (folder / "run.sh").chmod(0o755)
    program = Program("it", "client", ("./run.sh",), cell=Cell(str(folder)))
    (it,) = run_in_cells(program)
    first, count, name = lines(it)
    assert first == "./run.sh /home /tmp"
    assert int(count) <= 8  # the shell's own PWD and _ among them
    assert name == "submission"


ASK = """
import os
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
print([status[name].strip() for name in ('CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb')])
print(status['NoNewPrivs'].strip(), status['Seccomp'].strip())
print(sorted(map(int, filter(str.isdigit, os.listdir('/proc')))) == [os.getpid()])
print({os.getuid(), os.geteuid(), os.getgid(), os.getegid()}, os.getgroups())
"""


def test_it_has_no_capability_and_sees_itself_alone(marker: str, folder: Path) -> None:
    it = run_code(folder, ASK)
    capabilities, filtered, alone, who = lines(it)
    assert capabilities == str(["0" * 16] * 5)
    assert filtered == "1 2"
    assert alone == "True"
    assert it.cell is not None
    if os.geteuid() == 0:
        assert who == f"{{{it.cell.uid}}} []"
        assert it.cell.uid >= 0x70000000
    else:
        assert it.cell.uid == os.geteuid()


def test_two_cells_share_nothing_but_the_run_s_network(marker: str, folder: Path) -> None:
    serve = (
        "import socket, os; s = socket.create_server(('', 4242)); open('/tmp/mine', 'w').close()\n"
        f"{READY}c, _ = s.accept(); c.sendall(b'%d' % os.getuid())"
    )
    ask = (
        "import socket, os; c = socket.create_connection(('server', 4242), 5)\n"
        "print(c.recv(99).decode(), os.getuid(), os.listdir('/tmp'))"
    )
    programs = (
        in_cell(folder, serve, "server", host="server", ready=True),
        in_cell(folder, ask, "client"),
    )
    names = {"server": "198.51.100.2"}
    confined = confine(Allowed(), (Step("only", programs),), names=names)
    with open_sandbox() as sandbox:
        server, client = run(sandbox, *programs, confined=confined).programs
    assert (server.failure, client.failure) == ("", "")
    theirs, own, files = client.stdout.split(None, 2)
    assert files == "[]\n"
    if os.geteuid() == 0:
        assert theirs != own


def test_what_it_leaves_running_ends_with_the_step(marker: str, folder: Path) -> None:
    leave = (
        "import os\nif os.fork() == 0:\n os.setsid()\n if os.fork():\n  os._exit(0)\n"
        f" os.close(1); os.close(2)\n {HANG}"
    )
    with open_sandbox() as sandbox:
        (it,) = run(sandbox, in_cell(folder, leave)).programs
        assert it.remark == "exited with status 0 while processes that it had started went on"
        # The supervisor and init: neither the program nor the cell's own init.
        wait_until(lambda: len(marked(marker)) == 2)


def test_the_lab_s_own_programs_of_the_step_are_not_its_neighbours(
    marker: str, folder: Path
) -> None:
    kill = (
        "import os, signal\nfor number in range(1, 65):\n"
        " try:\n  os.kill(1, number)  # the cell's init\n except PermissionError:\n  pass\n"
        "for number in (signal.SIGSTOP, signal.SIGKILL):\n"
        " try:\n  os.kill(-1, number); print('sent')\n"
        " except ProcessLookupError:\n  print('nobody')"
    )
    other = python("import sys, select; select.select([], [], [], 0.5); print('lives')", "other")
    it, lives = run_in_cells(in_cell(folder, kill), other)
    assert lines(it) == ["nobody", "nobody"]
    assert lines(lives) == ["lives"]


def test_a_server_is_ended_after_the_others(marker: str, folder: Path) -> None:
    server = in_cell(
        folder, READY + "print('up', flush=True)\n" + HANG, "server", serves=True, ready=True
    )
    it, _ = run_in_cells(server, python("pass", "other"))
    assert (it.stdout, it.failure) == ("up\n", "")
    assert it.remark == "went on, and was ended by SIGTERM when the others had ended"
    assert it.cell is not None and it.cell.ended_by is None


@pytest.mark.parametrize(
    ("limit", "limits", "code"),
    [
        (Limit.CPU, Limits(cpu_s=1), "while True: pass"),
        (
            Limit.CPU,
            Limits(cpu_s=1, wall_s=30),
            "import signal; signal.signal(signal.SIGXCPU, lambda *_: None)\nwhile True: pass",
        ),
        (Limit.WALL, Limits(wall_s=0.3), HANG),
        (
            Limit.FRAMES,
            Limits(frames=500),
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "while True: s.sendto(b'x', ('198.51.100.2', 9))",
        ),
        (
            Limit.CAPTURED,
            Limits(captured_mib=4),
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "while True: s.sendto(bytes(1400), ('198.51.100.2', 9))",
        ),
        (Limit.OUTPUT, Limits(output_kib=64), "import os\nwhile True: os.write(1, b'x' * 65536)"),
        (
            Limit.MEMORY,
            Limits(memory_mib=64),
            "import mmap, select; m = mmap.mmap(-1, 256 << 20)\n"
            "for n in range(0, len(m), 4096): m[n] = 1\n" + HANG,
        ),
        (
            Limit.FILE,
            Limits(file_mib=1),
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
            "open('x', 'wb').write(bytes(2 << 20))",
        ),
    ],
)
def test_the_limit_that_ends_it_is_a_value(
    limit: Limit, limits: Limits, code: str, marker: str, folder: Path
) -> None:
    it = run_code(folder, code, limits)
    assert it.cell is not None and it.cell.ended_by is limit
    assert it.failure
    assert {kept.limit for kept in it.cell.kept} == set(Limit)


def test_processor_time_is_that_of_all_its_processes(marker: str, folder: Path) -> None:
    """None of them takes as much as its own limit; each has ended before it could."""
    burn = (
        "import os, time\nwhile True:\n pid = os.fork()\n if pid == 0:\n"
        "  while time.process_time() < 0.2: pass\n  os._exit(0)\n os.waitpid(pid, 0)"
    )
    it = run_code(folder, burn, Limits(cpu_s=0.5))
    assert it.cell is not None and it.cell.ended_by is Limit.CPU
    assert it.failure == (
        "took more than its cell allows: 0.5 s of the processors' time; it wrote nothing to stderr"
    )


def test_a_fork_bomb_ends_and_another_program_does_not_notice(marker: str, folder: Path) -> None:
    bomb = (
        "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "while True:\n try:\n  os.fork()\n except OSError:\n  pass"
    )
    other = python("import subprocess\nfor _ in range(20): subprocess.run(['true'])", "other")
    with open_sandbox() as sandbox:
        recording = run(sandbox, in_cell(folder, bomb, limits=Limits(cpu_s=0.5)), other)
        it, beside = recording.programs
        assert it.cell is not None and it.cell.ended_by is Limit.CPU
        assert (beside.failure, beside.exit_status) == ("", 0)
        assert recording.disturbances == ()
        wait_until(lambda: len(marked(marker)) == 2)


def test_a_folder_that_there_is_not_is_the_author_s_mistake(marker: str) -> None:
    with pytest.raises(UsageError, match="a cell cannot have /nowhere: No such file"):
        run_code(Path("/nowhere"), "pass")


def test_a_folder_that_does_not_fit_is_refused(marker: str, folder: Path) -> None:
    (folder / "large").write_bytes(bytes(3 << 20))
    with pytest.raises(DoesNotFitError, match=r"2 MiB \(its limit disk_mib\), 128 files"):
        run_code(folder, "pass", Limits(disk_mib=2))
    assert lines(run_code(folder, "print(1)")) == ["1"]
