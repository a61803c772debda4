"""What a run's programs are confined to, worked out from what is asked for."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from pathlib import Path

import pytest
from outside import NOBODY, check_refused, wirelab

from lab.errors import UsageError
from lab.kernel import confinement
from lab.kernel.confinement import confine
from lab.model.allowed import Allowed
from lab.model.program import Program, Step

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root")


@pytest.fixture(autouse=True)
def without_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.chdir(tmp_path)


def steps(*argv: str, capabilities: tuple[str, ...] = ()) -> tuple[Step, ...]:
    return (Step("only", (Program("it", "client", argv, capabilities=capabilities),)),)


def test_by_default_the_current_folder_is_writable_and_no_more(tmp_path: Path) -> None:
    found = confine(Allowed(), steps("true"))
    assert found.identity is None
    assert found.files is not None
    assert found.folder == str(tmp_path)
    assert found.ran_as.writable == found.files.writable == (str(tmp_path),)
    assert found.ran_as.user == pwd.getpwuid(os.geteuid()).pw_name
    assert found.ran_as.capabilities == ("CAP_NET_BIND_SERVICE", "CAP_NET_RAW")


def test_hosts_have_their_names_where_programs_have_files_of_their_own() -> None:
    names = {"client": "198.51.100.1", "server": "198.51.100.2"}
    found = confine(Allowed(), steps("true"), names=names)
    assert found.files is not None
    assert found.files.names == (("198.51.100.1", "client"), ("198.51.100.2", "server"))
    assert confine(Allowed(host_files=True), steps("true"), names=names).files is None


@pytest.mark.parametrize("folder", ["/", "/proc", "/proc/self", "/sys", "/dev"])
def test_some_folders_are_not_writable_even_if_current(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert confine(Allowed(), steps("true")).ran_as.writable == ()
    with pytest.raises(UsageError, match=r"is never made writable$"):
        confine(Allowed(writable=(folder,)), steps("true"))


def test_what_is_allowed_is_named_by_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("real/sock")
        allowed = Allowed("", ("CAP_NET_RAW", "CAP_KILL"), ("link",), ("link/sock",))
        found = confine(allowed, steps("true")).ran_as
    assert found.writable == (str(tmp_path), str(tmp_path / "real"))
    assert found.sockets == (str(tmp_path / "real" / "sock"),)
    assert found.capabilities == ("CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_KILL")


def test_with_the_hosts_files_nothing_is_mounted() -> None:
    found = confine(Allowed(host_files=True), steps("true"))
    assert found.files is None
    assert (found.ran_as.writable, found.ran_as.host_files) == ((), True)


def test_what_commands_name_in_tmp_is_shown_with_what_lies_beside_it(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    if not str(elsewhere).startswith("/tmp/"):
        pytest.skip("pytest's folders are not in /tmp")
    (elsewhere / "script.py").touch()
    (elsewhere / "folder").mkdir()
    (tmp_path / "own.py").touch()
    argv = (sys.executable, f"{elsewhere}/folder", f"{tmp_path}/own.py", "/tmp", "/tmp/absent")
    shown = _shown(steps(*argv))
    assert shown == {str(elsewhere / "folder")}
    assert _shown(steps(f"{elsewhere}/script.py")) == {str(elsewhere)}


def _shown(of: tuple[Step, ...]) -> set[str]:
    """What is shown besides Python's own folders, which may be in /tmp too."""
    files = confine(Allowed(), of).files
    assert files is not None
    own = {str(Path(sys.prefix).resolve()), sys.prefix, str(Path(sys.executable).parent)}
    return set(files.shown) - own


def test_sockets_of_the_host_are_covered_but_for_those_that_may_be_reached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(confinement, "OWN_FOLDERS", {})
    here, other = tmp_path / "here", tmp_path / "other"
    here.mkdir()
    other.mkdir()
    names = [here / "a", other / "named", other / "covered", other / "gone"]
    sockets = [socket.socket(socket.AF_UNIX) for _ in names]
    for one, name in zip(sockets, names, strict=True):
        one.bind(str(name))
    names[-1].unlink()
    monkeypatch.chdir(here)
    files = confine(Allowed(sockets=(str(other / "named"),)), steps("true")).files
    for one in sockets:
        one.close()
    assert files is not None
    mine = {path for path in files.covered if path.startswith(str(tmp_path))}
    assert mine == {str(other / "covered")}


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        (Allowed(capabilities=("CAP_NET_AMDIN",)), "'CAP_NET_AMDIN'; did you mean 'CAP_NET_ADMIN'"),
        (Allowed(capabilities=("net_admin",)), "'net_admin'; did you mean 'CAP_NET_ADMIN'?"),
        (Allowed(capabilities=("x",)), "there is no capability 'x'; see capabilities"),
        (Allowed(writable=("absent",)), "--writable absent: there is no such folder"),
        (Allowed(sockets=("absent",)), "--socket absent: there is no such unix socket"),
        (Allowed(sockets=("/etc/passwd",)), "--socket /etc/passwd: there is no such unix socket"),
        (Allowed(user="no-such-user"), "--as no-such-user: "),
    ],
)
def test_what_cannot_be_allowed_is_refused(allowed: Allowed, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        confine(allowed, steps("true"))
    assert message in str(refused.value)


def test_a_programs_unknown_capability_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no capability 'CAP_X'"):
        confine(Allowed(), steps("true", capabilities=("CAP_X",)))


def test_a_current_folder_that_is_gone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match=r"^the current folder has been deleted"):
        confine(Allowed(), steps("true"))


@needs_root
def test_the_caller_of_sudo_is_whom_programs_run_as(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    found = confine(Allowed(), steps("true"))
    assert found.identity is not None
    assert found.identity.uid == found.ran_as.uid == NOBODY
    assert found.ran_as.user == "nobody"
    named = confine(Allowed(user="0"), steps("true"))
    assert (named.identity, named.ran_as.user) == (None, "root")


AD_HOC = ("run", "--server", "true", "--client", "true", "--trace", "none")


@pytest.mark.kernel
@needs_root
@pytest.mark.parametrize("value", ["x", "4294967295", "59999"])
def test_a_caller_of_sudo_who_cannot_be_is_told_in_a_line(value: str, tmp_path: Path) -> None:
    sudo = {"SUDO_UID": value, "SUDO_GID": value}
    message = check_refused(wirelab(*AD_HOC, "--out", tmp_path, env=sudo))
    assert message.startswith(
        f"wirelab: SUDO_UID is {value!r}" if value != "59999" else "wirelab: SUDO_UID is 59999"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kernel
@pytest.mark.parametrize(
    "words", [("--as", "0"), ("--cap", "CAP_KILL"), ("--writable", "/tmp"), ("--host-files",)]
)
def test_to_wirelabs_own_scenarios_nothing_is_allowed(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    message = check_refused(wirelab("run", "tcp", *words, "--out", tmp_path))
    assert "tcp is wirelab's own scenario, whose programs are not confined" in message
