"""What runs within a Python program that is to note the lines that make its calls.

The text of this file is given to the program's interpreter (`command.py`), which is any Python from
3.8 on; so it imports nothing of the lab. It learns of calls by sys.monitoring, before
Python 3.12 by sys.setprofile, then runs the program as the interpreter would have done. It notes,
for each C function that works on sockets, pipes and descriptors, when it was called and returned,
by which thread and at which line; into memory that is shared with the lab, without a system call
for each. What is written there, `notes.py` reads:

    the memory  chunks of CHUNK_BYTES, claimed one after another by lseek(2), which is atomic
    a chunk     owner, pid, 8 bytes unused; records; zeros. One thread's.
    a use       HEADER: 1, 32; the line's number, tid, 0, time of the call, of its return or 0
    a line      HEADER: 2, size; its number, number in the file, number of the first line of text;
                UTF-8, each ended by a 0: file, function, what of the library it called, lines;
                the next record is behind it at a multiple of 8

An owner is a program image in a process: a child that was forked has its own, and numbers its lines
anew. A number of an owner's is in the host's byte order; times are of CLOCK_REALTIME.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # as typing has it, whose import takes as long as this file's work
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, FrameType, TracebackType
    from typing import Any

CHUNK_BYTES = 1 << 14
CHUNK = "=II8x"
CHUNK_HEAD_BYTES = 16
USE, LINE = 1, 2
USE_RECORD = "=HHIIIQQ"
USE_BYTES = 32
RETURNED_AT = 24
LINE_RECORD = "=HHIII"
LINE_BYTES = 16
TOOL = 4
"""Its number in sys.monitoring; those of debuggers, profilers and so on are others."""
LOWEST = 64
"""No descriptor of the program's own gets another number than without all this, below that."""
TEXT_CHARACTERS = 200
"""As much of a line is kept."""
AROUND = 2
"""Lines of the file that are kept before a line, and after it."""
FILE_BYTES = 1 << 20
"""No lines are kept of a larger file."""

_FUNCTIONS = frozenset({
    "read", "write", "close", "closerange", "pipe", "pipe2", "readv", "writev", "preadv", "pwritev",
    "fcntl", "set_blocking", "get_blocking", "sendfile", "splice", "dup", "dup2", "select", "poll",
    "epoll", "socketpair", "fork_exec",
})  # fmt: skip
"""Functions of _MODULES that make calls which may concern sockets or pipes."""
_STARTERS = frozenset({"start_new_thread", "start_joinable_thread"})
_MODULES = frozenset({"posix", "select", "fcntl", "_socket", "_posixsubprocess"})
_TYPES = frozenset({"_socket", "select", "_ssl", "_io"})
"""The modules of the types whose methods make calls."""
_IDLE = frozenset({"fileno", "gettimeout", "getblocking"})
"""Methods that make none."""
_INSTALLED = "/site-packages/", "/dist-packages/"


class _Noter:
    """Notes the calls of one program image."""

    def __init__(self, descriptor: int, library: Sequence[str], starter: CodeType) -> None:
        """Raises OSError or ImportError where it cannot."""
        import itertools
        import struct
        from _thread import get_native_id

        self._descriptor = descriptor
        about = os.fstat(descriptor)
        self._memfd = about.st_dev, about.st_ino
        self._memory = _mapped(descriptor, about.st_size)
        os.set_inheritable(descriptor, False)
        self._pack = struct.pack
        self._count = itertools.count
        self._tid = get_native_id
        self._now = time.time_ns  # kept: a program may put another in its place
        self._library = *library, "<frozen ", "<wirelab>"
        self._starter = starter
        self._inits = {os.path.join(library[0], name) for name in ("socket.py", "selectors.py")}
        self._kinds: dict[type, bool] = {}
        self._is_own: dict[str, bool] = {}
        self.texts: dict[str, list[str]] = {}
        self._module = type(os)
        self._builtin = type(len)
        self._descriptors = frozenset({type(str.join), type(object.__init__)})
        self._python = frozenset({type(_start), type(self.begin)})
        self._disable: object = None
        """What sys.monitoring has for it, where that is used."""
        self.begin()

    def begin(self) -> None:
        """Begin anew, as a process that was just forked does."""
        self._threads: dict[int, tuple[list[int], list[int]]] = {}
        """By thread: its uses that have not returned; where it may write next, and until where."""
        self._lines: dict[tuple[object, ...], tuple[int, CodeType, CodeType]] = {}
        """The numbers of lines; the code objects are kept, so that no other has their ids."""
        self._numbers = self._count()
        self._owner = 0
        at, end = self._claim()
        self._owner = at // CHUNK_BYTES + 1
        self._head(at)
        self._threads[self._tid()] = [], [at + CHUNK_HEAD_BYTES, end]

    def _claim(self) -> tuple[int, int]:
        """Where a chunk begins and ends that is this process's own from now on.

        Raises OSError where there is none left.
        """
        about = os.fstat(self._descriptor)
        if (about.st_dev, about.st_ino) != self._memfd:
            raise OSError("the program has closed the descriptor")
        at = os.lseek(self._descriptor, CHUNK_BYTES, os.SEEK_CUR) - CHUNK_BYTES
        if not 0 <= at <= len(self._memory) - CHUNK_BYTES:
            raise OSError("there is no room left")
        return at, at + CHUNK_BYTES

    def _head(self, at: int) -> None:
        self._memory[at : at + CHUNK_HEAD_BYTES] = self._pack(CHUNK, self._owner, os.getpid())

    def _room(self, tid: int, size: int) -> int:
        """Where this thread may write so many bytes; -1 where nowhere: it notes nothing more."""
        thread = self._threads.get(tid)
        if thread is None or thread[1][0] + size > thread[1][1]:
            try:
                at, end = self._claim()
            except OSError:
                self.end()
                return -1
            self._head(at)
            thread = thread[0] if thread else [], [at + CHUNK_HEAD_BYTES, end]
            self._threads[tid] = thread
        at = thread[1][0]
        thread[1][0] = at + size
        return at

    def start(self) -> None:
        """Note from now on: this thread, and those that it starts."""
        if sys.version_info >= (3, 12):
            try:
                self._monitor()
                return
            except ValueError:
                self._disable = None  # the tool's place is taken
        sys.setprofile(self.profile)

    def _monitor(self) -> None:
        """Have the interpreter tell of calls alone, in all threads: sys.monitoring.

        Raises ValueError where another tool has this one's number.
        """
        tools = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        events = tools.events
        tools.use_tool_id(TOOL, "wirelab")
        self._disable = tools.DISABLE
        tools.register_callback(TOOL, events.CALL, self._called)
        tools.register_callback(TOOL, events.C_RETURN, self._returned)
        tools.register_callback(TOOL, events.C_RAISE, self._returned)
        tools.set_events(TOOL, events.CALL | events.C_RETURN | events.C_RAISE)

    def end(self) -> None:
        """Note nothing more: in this thread, or, where it can be, in all."""
        if self._disable is None:
            sys.setprofile(None)
        else:
            sys.monitoring.set_events(TOOL, 0)  # type: ignore[attr-defined, unused-ignore]

    def _called(self, code: CodeType, offset: int, function: Any, first: object) -> object:
        """Note a call: what sys.monitoring calls. A call of Python's own is not noted again."""
        if self._is_worker(function):
            self._enter(sys._getframe(1))
        elif type(function) in self._python:
            return self._disable
        return None

    def _returned(self, code: CodeType, offset: int, function: Any, first: object) -> None:
        if self._is_worker(function):
            self._leave()

    def _is_worker(self, function: Any) -> bool:
        """Whether a callable of any kind works on sockets, pipes or descriptors."""
        kind = type(function)
        if kind is self._builtin:
            return self._makes_calls(function)
        if kind in self._descriptors:
            return self._works(function.__objclass__) and function.__name__ not in _IDLE
        return kind is type and function.__module__ in _TYPES

    def profile(self, frame: FrameType, event: str, arg: Any) -> None:
        """Note a call or its return: what sys.setprofile calls."""
        if event == "c_call":
            if self._makes_calls(arg):
                self._enter(frame)
        elif event == "call" or event == "return":
            code = frame.f_code
            # Types are not called as functions are: `_socket.socket` is, in there.
            if code.co_name == "__init__" and code.co_filename in self._inits:
                if event == "call":
                    self._enter(frame)
                else:
                    self._leave()
        elif self._makes_calls(arg):
            self._leave()

    def _makes_calls(self, function: Any) -> bool:
        owner = function.__self__
        kind = type(owner)
        if kind is self._module:
            name = function.__name__
            if name in _FUNCTIONS:
                return owner.__name__ in _MODULES
            if name in _STARTERS and owner.__name__ == "_thread" and self._disable is None:
                self._note_threads()
            return False
        return self._works(kind) and function.__name__ not in _IDLE

    def _works(self, kind: type) -> bool:
        """Whether it is one of the types, or derived from one, that work on descriptors."""
        known = self._kinds.get(kind)
        if known is None:
            known = any(base.__module__ in _TYPES for base in kind.__mro__)
            self._kinds[kind] = known
        return known

    def _note_threads(self) -> None:
        """Have the thread that is being started note its lines, if threading starts it."""
        threading = sys.modules.get("threading")
        if threading is not None and threading._profile_hook is None:
            threading.setprofile(self.profile)

    def _enter(self, frame: FrameType) -> None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            # What is imported is read from files alone.
            self._threads.setdefault(self._tid(), ([], [0, 0]))[0].append(-1)
            return
        found: FrameType | None = frame
        while found is not None and not self._own(found.f_code.co_filename):
            found = found.f_back
        # Where the library is all that runs, its own line.
        own = frame if found is None or found.f_code is self._starter else found
        # By what costs little: to hash a code object is to hash all that is in it, and a line's
        # number is found by going through those before it.
        key = id(own.f_code), own.f_lasti, id(frame.f_code), frame.f_lasti
        known = self._lines.get(key)
        if known is None:
            known = self._lines[key] = self._define(own, frame), own.f_code, frame.f_code
        number = known[0]
        tid = self._tid()
        at = self._room(tid, USE_BYTES)
        if at >= 0:
            self._threads[tid][0].append(at)
            record = self._pack(USE_RECORD, USE, USE_BYTES, number, tid, 0, self._now(), 0)
            self._memory[at : at + USE_BYTES] = record

    def _leave(self) -> None:
        thread = self._threads.get(self._tid())
        if thread is not None and thread[0]:
            at = thread[0].pop()
            if at >= 0:
                self._memory[at + RETURNED_AT : at + USE_BYTES] = self._pack("=Q", self._now())

    def _own(self, file: str) -> bool:
        """Whether a file is the program's: neither of the standard library nor installed."""
        known = self._is_own.get(file)
        if known is None:
            is_installed = any(folder in file for folder in _INSTALLED)
            known = not is_installed and not file.startswith(self._library)
            self._is_own[file] = known
        return known

    def _define(self, own: FrameType, frame: FrameType) -> int:
        """Describe a line; its number."""
        number = next(self._numbers)
        file, line = own.f_code.co_filename, own.f_lineno or 0
        through = ""
        if frame is not own:
            name = frame.f_code.co_filename.rpartition("/")[2]
            through = f"{frame.f_code.co_name}, {name}:{frame.f_lineno or 0}"
        text = self.texts.get(file)
        if text is None:
            text = self.texts[file] = _lines_of(file)
        first = max(line - AROUND, 1)
        shown = text[first - 1 : line + AROUND] if line <= len(text) else []
        words = [file[-1000:], own.f_code.co_name[:TEXT_CHARACTERS], through[:TEXT_CHARACTERS]]
        words += [each[:TEXT_CHARACTERS] for each in shown]
        data = "".join(word.replace("\0", " ") + "\0" for word in words)
        encoded = data.encode("utf-8", "backslashreplace")
        size = LINE_BYTES + len(encoded)
        at = self._room(self._tid(), (size + 7) // 8 * 8)
        if at >= 0:
            record = self._pack(LINE_RECORD, LINE, size, number, line, first) + encoded
            self._memory[at : at + size] = record
        return number


def _mapped(descriptor: int, size: int) -> Any:
    """The memory behind a descriptor. Raises OSError.

    Until Python 3.13 it holds a copy of the descriptor, which must not take a number that the
    program expects for its own: those below are taken meanwhile.
    """
    from mmap import mmap

    if sys.version_info >= (3, 13):
        return mmap(descriptor, size, trackfd=False)
    taken: list[int] = []
    try:
        while not taken or taken[-1] < LOWEST:
            taken.append(os.open("/", os.O_RDONLY))
        os.close(taken.pop())
        return mmap(descriptor, size)
    finally:
        if taken and len(taken) == taken[-1] - taken[0] + 1:
            os.closerange(taken[0], taken[-1] + 1)  # one system call
        else:
            for number in taken:
                os.close(number)


def _lines_of(file: str) -> list[str]:
    """The lines of a source file; none where it cannot be read, or is large."""
    try:
        if not os.path.isfile(file):  # a FIFO would be waited for
            return []
        with open(file, "rb") as opened:
            return split_lines(opened.read(FILE_BYTES + 1))
    except (OSError, ValueError):
        return []


def split_lines(source: bytes) -> list[str]:
    """The lines of a program's bytes."""
    if len(source) > FILE_BYTES:
        return []
    text = source.decode("utf-8", "backslashreplace")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _start(descriptor: int, starter: CodeType) -> _Noter | None:
    """Start to note, in this thread and in those to come; the noter, or None where that fails."""
    if sys.implementation.name != "cpython":
        return None  # others tell of calls in other ways
    library = [os.path.dirname(os.__file__ or "") + "/"]
    try:
        noter = _Noter(descriptor, library, starter)
    except (OSError, ImportError, ValueError):
        return None

    def forked() -> None:
        try:
            noter.begin()
        except OSError:
            noter.end()

    os.register_at_fork(after_in_child=forked)
    return noter


def run(descriptor: int, kind: str, word: str) -> None:
    """Run a program: "script" and its file, "module" and its name, or "command" and its text."""
    namespace = sys.modules["__main__"].__dict__
    del namespace["sys"]
    noter = _start(descriptor, _hide_frames())
    if sys.version_info >= (3, 13):
        _show_in_tracebacks(word if kind == "command" else "")
    is_safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    source: bytes | None = None
    if kind == "script":
        sys.argv[0] = word
        # By its version the interpreter itself names it so.
        file = os.path.join(os.getcwd(), word) if sys.version_info >= (3, 9) else word
        source = _read_script(file)
        folder = os.path.dirname(os.path.realpath(word))
        if source is None or source.startswith(b"PK"):
            kind, folder, source = "folder", file, None
    elif kind == "module":
        folder = os.getcwd()
    else:
        folder, file = "", "<string>"
        source = word.encode("utf-8", "surrogateescape")
    if not is_safe:
        sys.path[0] = folder
    elif kind == "folder":
        sys.path.insert(0, folder)
    if source is None:
        import runpy

        begin = runpy._run_module_as_main  # type: ignore[attr-defined]
        if noter is not None:
            noter.start()
        begin("__main__" if kind == "folder" else word, kind == "module")
        return
    code = compile(source, file, "exec", dont_inherit=True)
    if kind == "script":
        loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
        namespace.update(__file__=file, __cached__=None, __loader__=loader("__main__", file))
    if noter is not None:
        noter.texts[file] = split_lines(source)
        noter.start()
    exec(code, namespace)


def _read_script(file: str) -> bytes | None:
    """Its bytes; None of a folder. Ends the process, as the interpreter does, without a file."""
    if os.path.isdir(file):
        return None
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        said = f"[Errno {error.errno}] {error.strerror}"
        sys.stderr.write(f"{sys.executable}: can't open file {file!r}: {said}\n")
        sys.exit(2)


def _show_in_tracebacks(text: str) -> None:
    """Have tracebacks show lines of the text given by -c, as Python 3.13 does, and not of ours."""
    import linecache  # as the interpreter has by now

    linecache.cache.pop("<string>", None)
    if text:
        lines = [f"{line}\n" for line in text.splitlines()]
        linecache.cache["<string>"] = len(text), None, lines, "<string>"


def _hide_frames() -> CodeType:
    """Have this file's frames left out of the traceback of an exception that ends the program.

    The code that the interpreter was given to begin with.
    """
    ours = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        ours.append(frame.f_code)
        frame = frame.f_back

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        while trace is not None and trace.tb_frame.f_code in ours:
            trace = trace.tb_next
        sys.__excepthook__(kind, error.with_traceback(trace), trace)

    sys.excepthook = tell
    return ours[-1]
