"""Why this machine opens no sandbox: what the kernel tests are skipped for. Run, it prints that."""

from functools import cache

from lab.errors import MachineError
from lab.kernel.sandbox.sandbox import open_sandbox


@cache
def why_no_sandbox() -> str:
    """The reason, or the empty string where one can be opened."""
    try:
        with open_sandbox() as sandbox:
            sandbox.call(len, "")
    except MachineError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    print(why_no_sandbox())
