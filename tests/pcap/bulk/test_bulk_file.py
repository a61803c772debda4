from __future__ import annotations

from pathlib import Path

import pytest
from bulk_read import bulk_of, frames_of_batches
from captured import NAME, capture_of, source_of

from lab.errors import CaptureFileError
from lab.pcap.bulk.bulk_file import BulkFile

TESTS = Path(__file__).parents[2]
FILES = sorted(path for path in TESTS.rglob("*.pcap*") if path.stat().st_size < 1 << 20)


@pytest.mark.parametrize("chunk", [1 << 16, 1000])
def test_every_file_of_the_tests_has_the_same_frames_in_batches(chunk: int) -> None:
    assert len(FILES) > 40
    for path in FILES:
        data = path.read_bytes()
        whole = capture_of(data)
        frames, numbers, capture = bulk_of(data, chunk)
        assert tuple(frames) == whole.frames, path
        assert numbers == list(whole.numbers)
        assert (capture.left_out, capture.untimed) == (whole.left_out, whole.untimed)
        assert (capture.clock_steps, capture.broken) == (whole.clock_steps, whole.broken)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xd4\xc3\xb2\xa1\2\0"])
def test_what_is_no_capture_is_refused_with_the_same_words(data: bytes) -> None:
    with pytest.raises(CaptureFileError) as expected:
        capture_of(data)
    with pytest.raises(CaptureFileError) as refused:
        bulk_of(data)
    assert str(refused.value) == str(expected.value)


def test_a_fault_of_the_origin_ends_the_file_where_it_was_met() -> None:
    data = FILES[0].read_bytes()[:5000]
    pieces = iter([data])

    def read() -> bytes:
        for piece in pieces:
            return piece
        raise OSError(5, "Input/output error")

    source = source_of(b"")
    source._read = read
    file = BulkFile(source, NAME)
    frames, _ = frames_of_batches(file.batches(), file, data)
    assert frames
    assert "Input/output error" in file.capture().broken
