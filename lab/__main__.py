"""`wirelab` and `python -m lab`."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from lab.cli.main import main as run_command_line

        run_command_line()
    except KeyboardInterrupt:
        # While the command line itself was being imported, or at its very end.
        print("wirelab: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
