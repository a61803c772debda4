"""Shows that a FIFO's open waits until somebody opens the other end.

By hand:    python3 buffers_fifo_open.py /tmp

The child says through a pipe what it is about to do and what it has done. That it waits
meanwhile is seen in the kernel's /proc/PID/stat: its state there is S, sleeping.
"""

import errno
import os
import select
import sys

READ_SIZE = 64
STATE_SIZE = 32  # holds PID (NAME) STATE, whatever the name
BEFORE, AFTER = b"I open it for reading.", b"It is open."


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def child(path, teller):
    os.write(teller, BEFORE)
    reader = os.open(path, os.O_RDONLY)
    os.write(teller, AFTER)
    os.read(reader, READ_SIZE)  # the end of the file comes once the parent has had its say
    show(f"open({path!r}, O_RDONLY)", reader)
    os._exit(0)


def wait_until_asleep(pid, listener):
    """Look at the child until it sleeps or has more to say, whichever comes first."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while True:
        number = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        state = os.read(number, STATE_SIZE)
        os.close(number)
        asleep = state.rpartition(b")")[2].split()[0] == b"S"
        # Asleep first, silent second: it has not come back from where it sleeps.
        said = len(poll.poll(0 if asleep else 1))
        if asleep or said:
            show(f"read({number}, {state!r}, {STATE_SIZE})", len(state))
            show(f"poll({listener}, POLLIN)", said)
            return


def hear(listener):
    data = os.read(listener, READ_SIZE)
    show(f"read({listener}, {data!r}, {READ_SIZE})", len(data))


def main(folder):
    path = os.path.join(folder, "waits")
    os.mkfifo(path)
    show(f"mkfifo({path!r})", 0)
    try:
        show(f"open({path!r}, O_WRONLY | O_NONBLOCK)", os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        show(f"open({path!r}, O_WRONLY | O_NONBLOCK)", f"-1 {errno.errorcode[error.errno]}")
    listener, teller = os.pipe()
    show(f"pipe([{listener}, {teller}])", 0)
    pid = os.fork()
    if pid == 0:
        os.close(listener)
        child(path, teller)
    os.close(teller)
    hear(listener)
    wait_until_asleep(pid, listener)
    writer = os.open(path, os.O_WRONLY)
    show(f"open({path!r}, O_WRONLY)", writer)
    hear(listener)
    os.close(writer)
    _, status = os.wait()
    os.unlink(path)
    if status:
        sys.exit("the child failed")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    main(sys.argv[1])
