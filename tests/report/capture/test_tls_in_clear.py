"""TLS between curl and OpenSSL, which tshark shows in clear by the secrets in the file."""

from __future__ import annotations

import os
import shlex
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from ad_hoc_run import python
from forked_wirelab import forked_wirelab

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(
        not all(map(shutil.which, ("tshark", "curl", "openssl"))),
        reason="needs tshark, curl and openssl",
    ),
]

S_SERVER = (
    "exec openssl s_server -quiet -www -naccept 1 -accept {port} -cert cert.pem -key key.pem"
    " ${SSLKEYLOGFILE:+-keylogfile $SSLKEYLOGFILE}"
)
CURL = "curl -sk https://{server}:{port}/over-tls"
FETCH = """
import ssl, sys, urllib.request
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
print(urllib.request.urlopen(sys.argv[1], context=context).status)
"""
FILES = ("wire.pcapng", "recording.pcapng")


@pytest.fixture
def certified(tmp_path: Path) -> Path:
    """A folder with a key and its certificate, which programs may read."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
    words = [*command.split(), "-subj", "/CN=server"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o755)
    return tmp_path


def tls_run(folder: Path, client: str, *options: str) -> Path:
    """Where a client's run against s_server is recorded."""
    words = ("run", "--server", shlex.join(("sh", "-c", S_SERVER)), "--client", client)
    # A user's own file is not for these secrets.
    env = {"SSLKEYLOGFILE": str(folder / "of-the-user")}
    done = forked_wirelab(*words, "--trace", "none", *options, cwd=folder, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = "hold TLS secrets of" in " ".join(done.stdout.split())
    assert said is ("--no-secrets" not in options)
    assert not (folder / "of-the-user").exists()
    return folder / "runs" / "ad-hoc" / "latest"


def requests(path: Path) -> set[str]:
    """Method and path of each request that tshark shows."""
    fields = ("-e", "http.request.method", "-e", "http.request.uri")
    command = ["tshark", "-r", str(path), "-Y", "http.request", "-T", "fields", *fields]
    shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    return set(shown.stdout.splitlines())


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tshark_shows_curls_request_in_clear(certified: Path, version: str) -> None:
    folder = tls_run(certified, f"{CURL} --tls-max {version}")
    for name in FILES:
        assert requests(folder / name) == {"GET\t/over-tls"}
    (folder / "wire.pcapng").unlink()
    assert forked_wirelab("report", folder, "--format", "wire").returncode == 0
    assert requests(folder / "wire.pcapng") == {"GET\t/over-tls"}


def test_pythons_ssl_writes_them_too(certified: Path) -> None:
    assert ssl.HAS_TLSv1_3
    folder = tls_run(certified, python(FETCH, "https://{server}:{port}/by-python"))
    assert requests(folder / "wire.pcapng") == {"GET\t/by-python"}


def test_without_secrets_there_is_nothing_to_read(certified: Path) -> None:
    folder = tls_run(certified, CURL, "--no-secrets")
    for name in FILES:
        assert requests(folder / name) == set()
    assert b'"key log"' not in (folder / "recording.jsonl").read_bytes()
    assert not [name for name in os.listdir(certified) if "secret" in name]  # noqa: PTH208
