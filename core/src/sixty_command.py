"""Where the command `sixty` begins, before anything of it is imported.

An agent waits for a stdio server to start, and a quarter of that time would go to looking for garbage among modules
that stay. So the collector rests until the command has what it needs; see `gc.enable` in the command line.
"""

import gc

gc.disable()


def main() -> None:
    """Run the command line."""
    from sixty.cli import main as run  # noqa: PLC0415 - not before the collector rests

    run()
