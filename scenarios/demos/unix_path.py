"""A path as the name of a unix socket: a file that outlives it. Prints each call.

By hand:    python3 unix_path.py /tmp/names          (a folder that does not exist yet)
"""

import errno
import os
import socket
import stat
import sys


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def attempt(call, function, *arguments):
    """Make a call that may fail, and print it with 0 or its errno."""
    try:
        function(*arguments)
        show(call, 0)
    except OSError as error:
        show(call, f"-1 {errno.errorcode[error.errno]}")


def new_socket():
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    show("socket(AF_UNIX, SOCK_STREAM)", made.fileno())
    return made


def bind(one, path):
    attempt(f"bind({one.fileno()}, {path!r})", one.bind, path)


def connect(path):
    one = new_socket()
    attempt(f"connect({one.fileno()}, {path!r})", one.connect, path)
    close(one)


def close(one):
    number = one.fileno()
    one.close()
    show(f"close({number})", 0)


def show_stat(path):
    seen = os.stat(path)
    kind = "S_IFSOCK" if stat.S_ISSOCK(seen.st_mode) else "another"
    mode = stat.S_IMODE(seen.st_mode)
    show(f"stat({path!r}, {{'type': '{kind}', 'mode': 0o{mode:o}, 'st_ino': {seen.st_ino}}})", 0)


def become_an_ordinary_user(folder):
    """Stop being root, to whom nothing is forbidden: mode bits restrict other users alone."""
    os.mkdir(folder)
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        show("seteuid(65534)", 0)


def main(folder):
    become_an_ordinary_user(folder)
    path = os.path.join(folder, "path")
    show("umask(0o27)", os.umask(0o27))
    first = new_socket()
    bind(first, path)
    first.listen(1)
    show(f"listen({first.fileno()}, 1)", 0)
    show_stat(path)
    connect(path)
    # connect() is allowed to those who may write to the path.
    os.chmod(path, 0o500)
    show(f"chmod({path!r}, 0o500)", 0)
    connect(path)
    os.chmod(path, 0o700)
    show(f"chmod({path!r}, 0o700)", 0)
    second = new_socket()
    bind(second, path)
    close(first)
    # The path is still there, with nobody behind it.
    show_stat(path)
    bind(second, path)
    connect(path)
    os.unlink(path)
    show(f"unlink({path!r})", 0)
    bind(second, path)
    os.unlink(path)
    show(f"unlink({path!r})", 0)
    close(second)
    os.seteuid(os.getuid())  # the folder is in one that need not be an ordinary user's
    os.rmdir(folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    main(sys.argv[1])
