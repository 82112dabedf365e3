"""Options and checks that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from secondlook._shared.plain_values import as_json

__all__ = [
    "FOUND_ANOMALIES",
    "LEFT_OUT",
    "AsJson",
    "FailOnAnomaly",
    "Simulate",
    "note",
    "print_json",
    "require_source",
]

FOUND_ANOMALIES = 1
LEFT_OUT = 3  # the job is done, but some of the input could not be read

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
FailOnAnomaly = Annotated[
    bool, typer.Option("--fail-on-anomaly", help="Exit with 1 if something anomalous was found.")
]
Simulate = Annotated[
    bool, typer.Option("--simulate", help="Use simulated data, with known faults or classes.")
]


def require_source(what: str, path: Path | None, simulate: bool) -> None:
    """Raise an error unless there is either a path or the wish for a simulation.

    A simulation is never the default: a script whose variable is empty would report it as real.
    """
    if path is None and not simulate:
        raise ValueError(f"expected {what}, or --simulate for simulated data")
    if path is not None and simulate:
        raise ValueError(f"expected either {what} or --simulate, got '{path}' and --simulate")


def print_json(command: str, document: dict[str, Any], **more: Any) -> None:
    """Print the JSON document of a command, the only output on stdout."""
    typer.echo(as_json({"command": command, **document, **more}))


def note(message: str) -> None:
    """Print a line for a person on stderr."""
    typer.echo(message, err=True)
