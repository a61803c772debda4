"""What a student hands in, a file, a folder or an archive, unpacked into a fresh folder.

Whatever it is, nothing is written but regular files in that folder, and no more than is allowed:
links, devices and names that lead elsewhere are refused, sizes are counted while they are read.

Source: zip: PKWARE's APPNOTE.TXT, 4.3 and 4.4; tar: pax(1), "ustar Interchange Format".
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from lab.errors import UsageError
from lab.frozen import frozen
from lab.grading.member_name import ArchiveRefused, MemberNames, Sizes, is_ignored, shown

MIB = 1 << 20
XZ_MEMORY_BYTES = 128 * MIB
"""What its decoder may take: xz -9 needs 65 MiB."""

_CHUNK_BYTES = 1 << 18
_TAR_BLOCK_BYTES = 512
_TAR_MAGIC = b"ustar"
_TAR_MAGIC_AT = 257
_ENCRYPTED = 0x1  # general purpose bit flag 0
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

# What the libraries raise for bytes that are no archive.
_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    OverflowError, LookupError, struct.error, NotImplementedError, RuntimeError, MemoryError,
    TypeError, AttributeError,
)  # fmt: skip

T = TypeVar("T")


@frozen
class _Member:
    """Something in an archive or a folder."""

    name: str
    is_folder: bool
    is_executable: bool
    chunks: Iterable[bytes]
    """What a file has in it, read when it is asked for."""


def unpack(path: str, folder: Path, most: Sizes | None = None) -> tuple[str, ...]:
    """Unpack what was handed in into the folder, which is made; the names of its files, sorted.

    An archive is known by its content; in it an archive is a file. What systems and tools put there
    unasked is left out (member_name.py), whatever it is.

    Raises ArchiveRefused, and UsageError where the folder cannot be written; then it is not there.
    """
    most = most or Sizes()
    name = Path(path).name or path
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}") from None
    try:
        return _write(_members(path, most), folder, most)
    except ArchiveRefused as error:
        shutil.rmtree(folder)
        raise ArchiveRefused(f"{shown(name)} is not taken: {error}") from None
    except OSError as error:
        shutil.rmtree(folder)
        raise UsageError(f"cannot unpack {shown(name)}: {error.strerror}") from None
    except BaseException:
        shutil.rmtree(folder)
        raise


def _write(members: Iterable[_Member], folder: Path, most: Sizes) -> tuple[str, ...]:
    names, left, files = MemberNames(most), most.total_mib * MIB, []
    for member in members:
        path = names.take(member.name, is_folder=member.is_folder)
        if path is None:
            continue
        place = folder / path
        if member.is_folder:
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        files.append(path)
        of_file = most.file_mib * MIB
        with os.fdopen(os.open(place, _CREATE, 0o644), "wb") as file:
            for chunk in member.chunks:
                left -= len(chunk)
                of_file -= len(chunk)
                if of_file < 0:
                    raise ArchiveRefused(f"{shown(path)} has more than {most.file_mib} MiB")
                if left < 0:
                    raise ArchiveRefused(f"its files have more than {most.total_mib} MiB")
                file.write(chunk)
        place.chmod(0o755 if member.is_executable else 0o644)
    return tuple(sorted(files))


def _members(path: str, most: Sizes) -> Iterator[_Member]:
    try:
        descriptor = os.open(path, _OPEN)
    except (OSError, ValueError) as error:
        # O_NOFOLLOW: ELOOP for a link, which may lead to another student's.
        why = "it is a symbolic link" if os.path.islink(path) else _said(error)  # noqa: PTH114
        raise ArchiveRefused(why) from None
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            yield from _of_folder(descriptor, "", most, 0)
        elif stat.S_ISREG(found.st_mode):
            if found.st_size > most.total_mib * MIB:
                raise ArchiveRefused(f"it has more than {most.total_mib} MiB")
            with os.fdopen(os.dup(descriptor), "rb") as file:
                yield from _of_file(file, Path(path).name, found, most)
        else:
            raise ArchiveRefused("it is no regular file and no folder")
    finally:
        os.close(descriptor)


def _of_folder(folder: int, prefix: str, most: Sizes, depth: int) -> Iterator[_Member]:
    """What is in a folder, by its descriptor, as it is when it is read."""
    if depth > most.depth:
        raise ArchiveRefused(f"{shown(prefix)} is deeper than {most.depth} folders")
    with os.scandir(folder) as entries:
        listed = sorted(
            entry.name for entry, _ in zip(entries, range(most.files + 1), strict=False)
        )
    for each in listed:
        name, mode = f"{prefix}{each}", os.lstat(each, dir_fd=folder).st_mode
        if is_ignored(name, is_folder=stat.S_ISDIR(mode)):
            continue
        _check_kind(mode, name)
        descriptor = os.open(each, _OPEN, dir_fd=folder)
        try:
            found = os.fstat(descriptor)
            _check_kind(found.st_mode, name)
            if stat.S_ISDIR(found.st_mode):
                yield _Member(name, True, False, ())
                yield from _of_folder(descriptor, f"{name}/", most, depth + 1)
            elif found.st_nlink > 1:
                raise ArchiveRefused(f"{shown(name)} is a hard link")
            else:
                yield _Member(name, False, bool(found.st_mode & 0o100), _read(descriptor))
        finally:
            os.close(descriptor)


def _check_kind(mode: int, name: str) -> None:
    if stat.S_ISLNK(mode):
        raise ArchiveRefused(f"{shown(name)} is a symbolic link")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ArchiveRefused(f"{shown(name)} is no regular file and no folder")


def _read(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        yield chunk


def _of_file(file: BinaryIO, name: str, found: os.stat_result, most: Sizes) -> Iterator[_Member]:
    """The file itself, or what is in it if it is an archive."""
    start = file.read(_TAR_BLOCK_BYTES)
    file.seek(0)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        yield from _guarded(_of_zip(file, most))
        return
    if unpacked := _unpacker(start):
        yield from _guarded(
            _of_tar(_within_ratio(_taken(_guarded(unpacked(file)), most), found, most))
        )
        return
    if start[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        yield from _guarded(_of_tar(file.read()))
        return
    # Not by its descriptor, which is where the buffer has read to.
    chunks = iter(lambda: file.read(_CHUNK_BYTES), b"")
    yield _Member(name, False, bool(found.st_mode & 0o100), chunks)


def _unpacker(start: bytes) -> Callable[[BinaryIO], Iterator[bytes]] | None:
    """What unpacks a compressed file, by its first bytes."""
    if start.startswith(b"\x1f\x8b"):
        return lambda file: _decompressed(file, lambda: _Inflating())
    if start.startswith(b"BZh"):
        return lambda file: _decompressed(file, bz2.BZ2Decompressor)
    if start.startswith(b"\xfd7zXZ\x00"):
        limited = lzma.FORMAT_XZ
        return lambda file: _decompressed(
            file, lambda: lzma.LZMADecompressor(limited, memlimit=XZ_MEMORY_BYTES)
        )
    return None


class _Inflating:
    """A decompressor of gzip with the interface of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


_Decompressor = _Inflating | bz2.BZ2Decompressor | lzma.LZMADecompressor


def _decompressed(file: BinaryIO, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """What is in a compressed file, of one stream or of several. Raises as the library does."""
    data, one = file.read(_CHUNK_BYTES), make()
    while True:
        yield one.decompress(data, _CHUNK_BYTES)
        data = b""
        if one.eof:
            data = one.unused_data or file.read(_CHUNK_BYTES)
            # Padding behind the last stream, as tapes and xz have it.
            if not data.strip(b"\0"):
                return
            one = make()
        elif one.needs_input and not (data := file.read(_CHUNK_BYTES)):
            raise EOFError


def _taken(chunks: Iterator[bytes], most: Sizes) -> bytes:
    """All of it, if it is no more than so many files can be in an archive of tar."""
    # Each has a header, the rest of its last block, and maybe headers of its long name.
    allowed = most.total_mib * MIB + most.files * 8 * _TAR_BLOCK_BYTES
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > allowed:
            raise ArchiveRefused(f"its files have more than {most.total_mib} MiB")
    return bytes(found)


def _within_ratio(data: bytes, found: os.stat_result, most: Sizes) -> bytes:
    _check_ratio(len(data), found.st_size, most)
    return data


def _check_ratio(unpacked: int, packed: int, most: Sizes) -> None:
    if unpacked > MIB and unpacked > most.ratio * max(packed, 1):
        raise ArchiveRefused(f"its files have more than {most.ratio} times its own size")


def _of_tar(data: bytes) -> Iterator[_Member]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errorlevel=1) as tar:
        for member in tar:
            if is_ignored(member.name, is_folder=member.isdir()):
                continue
            if member.issym() or member.islnk():
                kind = "symbolic" if member.issym() else "hard"
                raise ArchiveRefused(f"{shown(member.name)} is a {kind} link")
            if member.issparse() or not (member.isreg() or member.isdir()):
                raise ArchiveRefused(f"{shown(member.name)} is no regular file and no folder")
            yield _Member(
                member.name,
                member.isdir(),
                bool(member.mode & 0o100),
                () if member.isdir() else _guarded(_chunks_of_tar(tar, member)),
            )
        end = data[tar.offset :][:_TAR_BLOCK_BYTES]
    # tarfile takes a header that it cannot read for the end.
    if not end or end.strip(b"\0"):
        raise ArchiveRefused("the archive is damaged")


def _chunks_of_tar(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file, left = tar.extractfile(member), member.size
    assert file is not None
    while left and (chunk := file.read(_CHUNK_BYTES)):
        left -= len(chunk)
        yield chunk
    if left:
        raise EOFError


def _of_zip(file: BinaryIO, most: Sizes) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        packed = os.fstat(file.fileno()).st_size
        _check_ratio(sum(each.file_size for each in members), packed, most)
        for member in members:
            # What is behind a NUL in it, ZipInfo.filename does not have.
            name, mode = member.orig_filename, member.external_attr >> 16
            if is_ignored(name, is_folder=name.endswith("/")):
                continue
            if member.flag_bits & _ENCRYPTED:
                raise ArchiveRefused(f"{shown(name)} is encrypted")
            if stat.S_IFMT(mode):
                _check_kind(mode, name)
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ArchiveRefused(
                    f"{shown(name)} is compressed otherwise than zip does by itself"
                )
            is_folder = name.endswith("/")
            chunks = () if is_folder else _guarded(_chunks_of_zip(archive, member))
            yield _Member(name, is_folder, bool(mode & 0o100), chunks)


def _chunks_of_zip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _guarded(items: Iterator[T]) -> Iterator[T]:
    """The same, but for what is raised where bytes are no archive. Raises ArchiveRefused."""
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except ArchiveRefused:
            raise
        except _DAMAGED:
            raise ArchiveRefused("the archive is damaged") from None
        yield item


def _said(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or "it cannot be opened"
