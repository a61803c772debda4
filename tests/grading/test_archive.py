"""What is handed in, unpacked: within the folder and the sizes, whatever it is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import socket
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.grading.archive import XZ_MEMORY_BYTES, unpack
from lab.grading.member_name import ArchiveRefused, Sizes

FILES = {"echo/echo.c": b"int main(void) { return 0; }\n", "echo/README": b"mine\n"}
SMALL = Sizes(total_mib=2, files=20, file_mib=1)

Pack = Callable[[dict[str, bytes]], bytes]


def tar_of(files: dict[str, bytes], **changes: object) -> bytes:
    """An archive of tar; `changes` are of each member's header."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for field, value in changes.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(data))
    return target.getvalue()


def zip_of(files: dict[str, bytes], mode: int = 0, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", how) as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            member.compress_type = how
            archive.writestr(member, data)
    return target.getvalue()


PACKS: dict[str, Pack] = {
    "zip": zip_of,
    "stored.zip": lambda files: zip_of(files, how=zipfile.ZIP_STORED),
    "tar": tar_of,
    # How hard it was tried is nothing that who unpacks could tell.
    "tar.gz": lambda files: gzip.compress(tar_of(files), compresslevel=1),
    "tar.bz2": lambda files: bz2.compress(tar_of(files), compresslevel=1),
    "tar.xz": lambda files: lzma.compress(tar_of(files), preset=0),
}
packs = pytest.mark.parametrize("name", PACKS)


def runs_of_bytes(size: int, seed: int = 1) -> bytes:
    """Bytes that every tool packs quickly, and to no less than a hundredth: each 32 times."""
    few = random.Random(seed).randbytes(size // 32 + 1)
    return b"".join(few[place : place + 1] * 32 for place in range(len(few)))[:size]


def handed_in(folder: Path, data: bytes, name: str = "ann.zip") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refusal(folder: Path, path: str, most: Sizes = SMALL) -> str:
    """Why it is not taken; nothing is left of it."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(ArchiveRefused) as refused:
        unpack(path, folder / "out", most)
    assert sorted(folder.rglob("*")) == before
    said = str(refused.value)
    assert said.isprintable() and str(folder) not in said
    name, between, why = said.partition(" is not taken: ")
    assert between and name
    return why


@packs
def test_an_archive_is_unpacked_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    path = handed_in(tmp_path, PACKS[name](FILES), "ann.bin")
    assert unpack(path, tmp_path / "out") == ("echo/README", "echo/echo.c")
    assert contents(tmp_path / "out") == FILES


@packs
def test_each_may_have_large_files_and_many(name: str, tmp_path: Path) -> None:
    sizes = (n * (3000 if n % 20 == 19 else 30) for n in range(100))
    files = {f"{n}": runs_of_bytes(size, n) for n, size in enumerate(sizes)}
    path = handed_in(tmp_path, PACKS[name](files))
    assert len(unpack(path, tmp_path / "out")) == 100
    assert contents(tmp_path / "out") == files


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 8193, 300_000])
def test_a_file_is_whole_whatever_its_size(size: int, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes(b"x" * size)
    assert unpack(str(tmp_path / "a.c"), tmp_path / "new") == ("a.c",)
    assert (tmp_path / "new/a.c").read_bytes() == b"x" * size


def test_a_file_is_taken_by_its_name(tmp_path: Path) -> None:
    path = handed_in(tmp_path, b"print()\n", "echo.py")
    assert unpack(path, tmp_path / "out") == ("echo.py",)
    assert contents(tmp_path / "out") == {"echo.py": b"print()\n"}


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "ann"
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "run.sh").write_text("#!/bin/sh\n")
    (source / "a" / "run.sh").chmod(0o755)
    (source / "inner.zip").write_bytes(zip_of(FILES))
    assert unpack(str(source), tmp_path / "out") == ("a/run.sh", "inner.zip")
    assert (tmp_path / "out" / "a" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "inner.zip").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "out" / "a" / "b").is_dir()


def test_what_tools_put_into_a_folder_is_left_out_links_and_all(tmp_path: Path) -> None:
    source = tmp_path / "ann"
    (source / ".venv/bin").mkdir(parents=True)
    (source / ".venv/bin/python").symlink_to("/usr/bin/python3")
    (source / "src/__pycache__").mkdir(parents=True)
    for name in ("echo.py", "._echo.py", "src/part.py", "src/__pycache__/part.pyc"):
        (source / name).write_text("1")
    (source / ".git").mkdir()
    os.mkfifo(source / ".git/fifo")
    with (source / ".git/pack").open("wb") as pack:
        pack.truncate(SMALL.total_mib * 4 << 20)
    assert unpack(str(source), tmp_path / "out", SMALL) == ("echo.py", "src/part.py")
    assert not (tmp_path / "out/.venv").exists()


def test_what_tools_put_into_an_archive_is_left_out_links_and_all(tmp_path: Path) -> None:
    link = {"type": tarfile.SYMTYPE, "linkname": "/usr/bin/python3"}
    packed = tar_of({".venv/bin/python": b"", "ann/node_modules/.bin/x": b""}, **link)
    whole = packed[: 2 * 512] + tar_of(FILES)
    assert unpack(handed_in(tmp_path, whole), tmp_path / "out") == ("echo/README", "echo/echo.c")
    linked = zip_of({"a/.venv/bin/python": b"/usr/bin/python3"}, mode=0o120777)
    assert unpack(handed_in(tmp_path, linked), tmp_path / "zipped") == ()


@packs
def test_an_archive_in_an_archive_is_a_file(name: str, tmp_path: Path) -> None:
    path = handed_in(tmp_path, PACKS[name]({"inner.zip": zip_of(FILES)}))
    assert unpack(path, tmp_path / "out") == ("inner.zip",)


def test_a_gzip_of_several_streams_with_padding_is_one(tmp_path: Path) -> None:
    whole = tar_of(FILES)
    data = gzip.compress(whole[:700]) + gzip.compress(whole[700:]) + bytes(5000)
    assert unpack(handed_in(tmp_path, data), tmp_path / "out") == ("echo/README", "echo/echo.c")


@packs
@pytest.mark.parametrize(
    ("inner", "why"),
    [
        ("../x", "../x leads out of it"),
        ("a/../../x", "a/../../x leads out of it"),
        ("/tmp/x", "/tmp/x is an absolute path"),
        ("a\x1bb", r"a\x1bb has characters in its name that cannot be printed"),
        ("a\\b", r"a\b has a backslash in its name"),
        ("x" * 300, f"{'x' * 80}… is longer than 200 bytes"),
    ],
)
def test_names_are_refused(name: str, inner: str, why: str, tmp_path: Path) -> None:
    path = handed_in(tmp_path, PACKS[name]({"fine": b"", inner: b"x"}))
    assert refusal(tmp_path, path) == why


@packs
def test_a_name_that_is_there_twice_is_refused(name: str, tmp_path: Path) -> None:
    path = handed_in(tmp_path, PACKS[name]({"a/b": b"1", "a/B": b"2"}))
    assert refusal(tmp_path, path) == "a/b and a/B have the same name on some systems"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (tarfile.SYMTYPE, "it is a symbolic link"),
        (tarfile.LNKTYPE, "it is a hard link"),
        (tarfile.CHRTYPE, "it is no regular file and no folder"),
        (tarfile.BLKTYPE, "it is no regular file and no folder"),
        (tarfile.FIFOTYPE, "it is no regular file and no folder"),
        (tarfile.GNUTYPE_SPARSE, "it is no regular file and no folder"),
        (b"Z", "it is no regular file and no folder"),
    ],
)
def test_members_of_tar_are_files_and_folders(kind: bytes, why: str, tmp_path: Path) -> None:
    data = tar_of({"it": b""}, type=kind, linkname="/etc/passwd")
    assert refusal(tmp_path, handed_in(tmp_path, data)) == why


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (0o120777, "it is a symbolic link"),
        (0o010644, "it is no regular file and no folder"),
        (0o020644, "it is no regular file and no folder"),
        (0o060644, "it is no regular file and no folder"),
        (0o140644, "it is no regular file and no folder"),
    ],
)
def test_members_of_zip_are_files_and_folders(mode: int, why: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, handed_in(tmp_path, zip_of({"it": b"/etc/passwd"}, mode))) == why


@pytest.mark.parametrize("data", [tar_of({"a": b""}, mode=0o6755), zip_of({"a": b""}, 0o106755)])
def test_modes_are_those_of_programs_and_of_files(data: bytes, tmp_path: Path) -> None:
    unpack(handed_in(tmp_path, data), tmp_path / "out")
    assert (tmp_path / "out" / "a").stat().st_mode & 0o7777 == 0o755


def test_a_folder_with_what_is_no_file_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "ann"
    (source / "a").mkdir(parents=True)
    (source / "a" / "link").symlink_to("/etc")
    assert refusal(tmp_path, str(source)) == "a/link is a symbolic link"
    (source / "a" / "link").unlink()
    os.mkfifo(source / "a" / "fifo")
    assert refusal(tmp_path, str(source)) == "a/fifo is no regular file and no folder"
    (source / "a" / "fifo").unlink()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(source / "a" / "socket"))
    assert refusal(tmp_path, str(source)) == "a/socket is no regular file and no folder"
    (source / "a" / "socket").unlink()
    (tmp_path / "others").write_text("another student's")
    os.link(tmp_path / "others", source / "a" / "hard")
    assert refusal(tmp_path, str(source)) == "a/hard is a hard link"


def test_what_is_handed_in_is_no_link_and_no_device(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert refusal(tmp_path, str(tmp_path / "link")) == "it is a symbolic link"
    os.mkfifo(tmp_path / "fifo")
    assert refusal(tmp_path, str(tmp_path / "fifo")) == "it is no regular file and no folder"
    assert refusal(tmp_path, "/dev/zero") == "it is no regular file and no folder"
    assert refusal(tmp_path, str(tmp_path / "absent")) == "No such file or directory"


def test_a_message_has_no_escapes_of_the_file_s_name(tmp_path: Path) -> None:
    path = handed_in(tmp_path, tar_of({"../x": b""}), "a\x1b[31m.tar")
    with pytest.raises(ArchiveRefused) as refused:
        unpack(path, tmp_path / "out")
    assert str(refused.value) == r"a\x1b[31m.tar is not taken: ../x leads out of it"


@packs
def test_a_file_that_is_too_large_is_refused(name: str, tmp_path: Path) -> None:
    data = runs_of_bytes((1 << 20) + 1)
    assert refusal(tmp_path, handed_in(tmp_path, PACKS[name]({"a": data}))) == (
        "a has more than 1 MiB"
    )


@packs
def test_files_that_are_too_large_together_are_refused(name: str, tmp_path: Path) -> None:
    some = runs_of_bytes(600_000)
    files = {each: some[:-1] + each.encode() for each in "ab"}
    whole = PACKS[name](files)
    most = Sizes(total_mib=1, files=20, file_mib=1)
    said = refusal(tmp_path, handed_in(tmp_path, whole), most)
    assert said in ("its files have more than 1 MiB", "it has more than 1 MiB")


@packs
def test_too_many_files_are_refused(name: str, tmp_path: Path) -> None:
    files = {f"{n}": b"" for n in range(21)}
    assert refusal(tmp_path, handed_in(tmp_path, PACKS[name](files))) == (
        "it has more than 20 files and folders"
    )


@pytest.mark.parametrize("name", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_bomb_is_refused_before_it_is_unpacked(name: str, tmp_path: Path) -> None:
    path = handed_in(tmp_path, PACKS[name]({"a": bytes(16 << 20)}))
    assert Path(path).stat().st_size < 1 << 18
    tracemalloc.start()
    said = refusal(tmp_path, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said in (
        "its files have more than 2 MiB",
        "its files have more than 200 times its own size",
    )
    assert peak < 8 << 20


@pytest.mark.parametrize("name", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_files_of_many_times_an_archive_s_size_are_refused(name: str, tmp_path: Path) -> None:
    path = handed_in(tmp_path, PACKS[name]({f"{n}": bytes(500_000) for n in range(10)}))
    most = Sizes(total_mib=30, ratio=50)
    assert refusal(tmp_path, path, most) == "its files have more than 50 times its own size"


def test_a_zip_that_says_less_than_it_has_is_refused(tmp_path: Path) -> None:
    """Its sizes are those of its directory; what comes out is counted."""
    data = bytearray(zip_of({"a": random.Random(1).randbytes(100_000)}))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    assert refusal(tmp_path, handed_in(tmp_path, bytes(data))) == "the archive is damaged"


def test_a_long_name_s_header_takes_no_memory(tmp_path: Path) -> None:
    """GNU's long names come in members of their own, of any size."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    data = gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(10 << 20))
    assert refusal(tmp_path, handed_in(tmp_path, data)) == "its files have more than 2 MiB"


def test_an_xz_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    much = 2 * XZ_MEMORY_BYTES
    # Packing with it takes seconds where the encoder looks for matches as well as it can.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": much}]
    data = lzma.LZMACompressor(filters=filters)
    try:
        packed = data.compress(tar_of(FILES)) + data.flush()
    except MemoryError:
        pytest.skip("this machine has not that much itself")
    assert refusal(tmp_path, handed_in(tmp_path, packed)) == "the archive is damaged"


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of({"a": b"secret"}))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    assert refusal(tmp_path, handed_in(tmp_path, bytes(data))) == "a is encrypted"


def test_a_name_behind_a_nul_is_seen(tmp_path: Path) -> None:
    data = zip_of({"fineXevil": b""}).replace(b"fineXevil", b"fine\0evil")
    said = refusal(tmp_path, handed_in(tmp_path, data))
    assert said == r"fine\x00evil has characters in its name that cannot be printed"


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_zips_of_rarer_kinds_are_refused(how: int, tmp_path: Path) -> None:
    said = refusal(tmp_path, handed_in(tmp_path, zip_of({"a": b"x" * 100}, how=how)))
    assert said == "a is compressed otherwise than zip does by itself"


@packs
def test_an_archive_that_is_cut_is_refused(name: str, tmp_path: Path) -> None:
    whole = PACKS[name]({"a": random.Random(1).randbytes(3000), "b": b"x" * 10})
    least = {"tar": 3000, "stored.zip": 100}.get(name, 20)
    for length in range(least, len(whole) - 1, max(1, len(whole) // 40)):
        if name == "tar" and not any(whole[length:]):
            continue  # the padding behind its end
        path = handed_in(tmp_path, whole[:length])
        assert refusal(tmp_path, path) == "the archive is damaged", length


def test_a_header_that_is_damaged_is_not_taken_for_the_end(tmp_path: Path) -> None:
    data = bytearray(tar_of({"a": b"1", "b": b"2"}))
    data[1024 + 148] ^= 1  # the second header's checksum
    assert refusal(tmp_path, handed_in(tmp_path, bytes(data))) == "the archive is damaged"


@examples(300)
@given(
    st.sampled_from(sorted(PACKS)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_whatever_is_damaged_nothing_comes_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    changes: list[tuple[float, int]],
    cut: float,
) -> None:
    data = bytearray(PACKS[name](FILES | {"b": bytes(range(256)) * 20}))
    for place, value in changes:
        data[min(int(place * len(data)), len(data) - 1)] = value
    if cut < 0.3:
        del data[int(cut / 0.3 * len(data)) :]
    folder = tmp_path_factory.mktemp("damaged")
    path = handed_in(folder, bytes(data))
    try:
        names = unpack(path, folder / "out", SMALL)
    except ArchiveRefused as error:
        assert str(error).isprintable()
        assert [each.name for each in folder.iterdir()] == ["ann.zip"]
        return
    assert sorted(each.name for each in folder.iterdir()) == ["ann.zip", "out"]
    assert sorted(contents(folder / "out")) == list(names)
    assert not any(each.is_symlink() for each in folder.rglob("*"))


def test_a_folder_that_is_there_is_the_caller_s_mistake(tmp_path: Path) -> None:
    path = handed_in(tmp_path, zip_of(FILES))
    with pytest.raises(UsageError, match="cannot make the folder"):
        unpack(path, tmp_path)
