"""`python -m pantel_device`: the command line, for who has the interpreter and no script."""

from pantel_device.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
