"""`wirelab` and `python -m lab`."""

import os
import sys


def main() -> None:
    """Run the command line."""
    try:
        _heed_interrupts()
        _heed_children()
        from lab.cli.main import main as run_command_line

        run_command_line(is_own_process=True)
    except SystemExit as end:
        _leave(end.code)
        raise
    except KeyboardInterrupt:
        # While the command line itself was being imported, or at its very end.
        print("wirelab: interrupted", file=sys.stderr)
        sys.exit(130)


def _heed_interrupts() -> None:
    """End at once on Ctrl-C; the supervisor ends the sandbox when it sees that.

    KeyboardInterrupt may be raised where Python ignores exceptions, between two imports say:
    a traceback is printed, and the run goes on. ./wirelab has the signal blocked until here, so
    that it waits while Python itself starts.
    """
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else: ignored, by nohup
        signal.signal(signal.SIGINT, _end_interrupted)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))


def _heed_children() -> None:
    """Have the processes that are forked stay until they are waited for.

    Where SIGCHLD is ignored they do not, and that is inherited over execve(2). Source: wait(2).
    """
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _leave(status: object) -> None:
    """End with that status, without taking the interpreter apart, which takes 20 ms after a run.

    Threads that Python would wait for at its end are waited for. The others, daemons such as
    Dask's, end with the process: taken apart, the interpreter ends each by pthread_exit(3), which
    aborts the process where that thread is within C++ (its `noexcept` functions).

    Returns where the interpreter is to be taken apart: where the status is none of exit(2)'s, or
    where the standard streams refuse what they still hold.
    """
    import atexit

    # Who profiles or traces it wants to write something at its end.
    if not (status is None or isinstance(status, int)) or sys.getprofile() or sys.gettrace():
        return
    try:
        if (threading := sys.modules.get("threading")) is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # a stream that is full or closed
        return
    os._exit((status or 0) & 0xFF)


def _end_interrupted(*_: object) -> None:
    os.write(2, b"wirelab: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
