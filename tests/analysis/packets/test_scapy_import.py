from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

PROBE = """
import json, sys
seen = []
def hook(name, arguments):
    if name.startswith("socket.") or name in ("os.mkdir", "subprocess.Popen"):
        seen.append([name, repr(arguments)])
    elif name == "open":
        path, mode, flags = arguments
        if flags & 3 or str(path).startswith("/etc/") or "manuf" in str(path):
            seen.append([name, str(path)])
sys.dont_write_bytecode = True
sys.addaudithook(hook)
import lab.analysis.packets.dissect
print(json.dumps(seen))
"""


def run(program: str, home: Path) -> subprocess.CompletedProcess[str]:
    """In an interpreter of its own, whose user has an empty home directory."""
    environment = {"HOME": str(home), "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_import_opens_no_socket_and_reads_no_database_and_writes_nothing(tmp_path: Path) -> None:
    done = run(PROBE, tmp_path)
    assert json.loads(done.stdout) == []
    assert list(tmp_path.iterdir()) == []
    assert done.stderr == ""


def test_scapy_is_whole_for_whoever_imports_it_afterwards(tmp_path: Path) -> None:
    program = """
import lab.analysis.packets.dissect, sys
assert "scapy.main" not in sys.modules and "scapy.libs.manuf" not in sys.modules
from scapy.main import load_contrib
from scapy.config import conf
from scapy.layers.inet import IP, TCP
import scapy.data
assert scapy.data is sys.modules["scapy.data"] and "open" not in vars(scapy.data)
conf.ifaces.reload()
assert "lo" in conf.ifaces
load_contrib("igmp")
print(len(bytes(IP(dst="192.0.2.1", src="192.0.2.2") / TCP())))
"""
    assert run(program, tmp_path).stdout == "40\n"


def test_scapy_already_imported_is_left_as_it_is(tmp_path: Path) -> None:
    program = """
import scapy.layers.inet6
before = scapy.data
from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame
assert scapy.data is before
print(dissect(Frame(0, "if0", Direction.IN, bytes(14), 14)).layers[0].destination)
"""
    assert run(program, tmp_path).stdout == "00:00:00:00:00:00\n"


def test_a_scapy_that_needs_its_databases_is_imported_whole(tmp_path: Path) -> None:
    program = """
import lab.analysis.packets.scapy_import as ours, sys
def stand_ins():
    return {"scapy.main": None}
ours._stand_ins = stand_ins
l2, inet, inet6 = ours.import_scapy_layers()
assert sys.modules["scapy.data"].IP_PROTOS.udp == 17
print(inet.IP(bytes(20)).version)
"""
    assert run(program, tmp_path).stdout == "0\n"
