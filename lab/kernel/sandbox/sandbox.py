"""A sandbox: namespaces of its own that the kernel reclaims, whatever happens.

    with open_sandbox() as sandbox:
        answer = sandbox.call(function, argument)    # runs inside, in its init (pid 1)

The function is sent by its importable name, arguments and result are pickled. The parent may
have threads: then nothing is forked from it but a fresh interpreter (starting.py).
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from lab.errors import InstrumentError, MachineError
from lab.kernel.sandbox.starting import Supervisor, start_supervisor
from lab.kernel.system.message_socket import SAID, MessageSocket, PeerGone, Talk

P = ParamSpec("P")
R = TypeVar("R")

CLOSE_DEADLINE_S = 10.0


class Sandbox:
    """An open sandbox. It ends with its supervisor, the process `supervisor_pid`."""

    def __init__(self, process: Supervisor, messages: MessageSocket) -> None:
        """`process` is the supervisor, `messages` leads to the init."""
        self._process = process
        self._messages = messages
        self._ready = False

    @property
    def supervisor_pid(self) -> int:
        """Pid of the sandbox's outermost process, a child of this one."""
        return self._process.pid

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Pending[R]:
        """Start `function(*args)` in the init; its result is fetched later.

        Calls run one at a time, in the order of their submission, and results must be
        fetched in that order.
        """
        if kwargs:
            raise TypeError("a sandboxed call takes positional arguments only")
        self._send((function, args, False))
        return Pending(self)

    def converse(
        self, function: Callable[Concatenate[Talk, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Conversation[R]:
        """Start `function(talk, *args)` in the init, which can be asked for more while it runs."""
        if kwargs:
            raise TypeError("a sandboxed call takes positional arguments only")
        self._send((function, args, True))
        return Conversation(self)

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """`function(*args)`, run in the init.

        Raises what the function raised if it is a LabError; MachineError if this machine
        cannot open a sandbox; InstrumentError if the init died.
        """
        return self.submit(function, *args, **kwargs).result()

    def end(self) -> None:
        """Ask the sandbox to end, without waiting; no call is possible any more."""
        self._messages.close()

    def abort(self) -> None:
        """Make the sandbox end at once, whatever call is under way, without waiting."""
        self._process.terminate()  # at SIGTERM the supervisor kills the init
        self.end()

    def close(self) -> None:
        """End the sandbox and wait until its processes are gone."""
        self.end()
        if not self._process.ends_within(CLOSE_DEADLINE_S):
            # The init dies with its supervisor.
            self._process.kill()
            self._process.ends_within(None)

    def _send(self, message: object) -> None:
        try:
            self._messages.send(message)
        except PeerGone:
            self._raise_first_error()

    def _receive(self) -> object:
        """The next value; the init's own "ready" is taken off first."""
        return self._receive_kind()[1]

    def _receive_kind(self) -> tuple[str, object]:
        """The same with what kind it is."""
        try:
            if not self._ready:
                self._check(self._messages.receive())
                self._ready = True
            message = self._messages.receive()
            return message[0], self._check(message)
        except PeerGone:
            raise InstrumentError(
                "the sandbox's init process died; its messages, if any, are above"
            ) from None

    def _raise_first_error(self) -> None:
        """Raise what the sandbox sent before it ended, which is why the socket is closed."""
        self._receive()
        raise InstrumentError("the sandbox ended early")

    @staticmethod
    def _check(message: tuple[str, object]) -> object:
        kind, value = message
        if kind == "error":
            assert isinstance(value, Exception)
            raise value
        if kind == "crash":
            raise InstrumentError(f"the lab failed inside the sandbox:\n{value}")
        return value


class Pending(Generic[R]):
    """A call under way in a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def result(self) -> R:
        """Wait for the result; raises as Sandbox.call does."""
        return self._sandbox._receive()  # type: ignore[return-value]


class Conversation(Pending[R]):
    """A call under way in a sandbox, which takes requests and says things until it returns."""

    def ask(self, request: object) -> None:
        """Send a request. Raises the error with which the call has ended meanwhile."""
        self._sandbox._send(request)

    def result(self) -> R:
        """Wait for the result; what is said before it is passed over."""
        while True:
            kind, value = self._sandbox._receive_kind()
            if kind != SAID:
                return value  # type: ignore[return-value]

    def fileno(self) -> int:
        """Readable when something was said."""
        return self._sandbox._messages.fileno()

    def next(self) -> Any:  # noqa: ANN401  any picklable value
        """What is said next, waited for; raises as Sandbox.call does."""
        return self._sandbox._receive()


@contextmanager
def open_sandbox(
    preload: str = "lab.kernel.network.netlink",
    traced: bool = False,
    kept: Sequence[int] = (),
    shared: Sequence[str] = (),
) -> Iterator[Sandbox]:
    """A sandbox, closed at the end of the with statement.

    The init imports the module `preload` before its first call arrives; if `traced`, it starts
    to prepare tracing for root's programs before that. The descriptors `kept` it has as well, by
    the same numbers. `shared` are modules that the caller will import as well.

    With CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW the sandbox has mount, pid and network
    namespaces; without them, a user namespace around these. Source: user_namespaces(7),
    pid_namespaces(7).
    """
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = start_supervisor(
                theirs.fileno(), preload, traced=traced, kept=kept, shared=shared
            )
    except OSError as error:
        ours.close()
        from lab.kernel.system.limits import as_refusal  # a run's start does not wait for it

        failure = MachineError(f"cannot start {sys.executable}: {error.strerror}")
        raise as_refusal(error) or failure from None
    sandbox = Sandbox(process, MessageSocket(ours))
    try:
        yield sandbox
    except BaseException:
        # Ctrl-C among others: the call under way may take as long as a program's deadline.
        sandbox.abort()
        raise
    finally:
        sandbox.close()
