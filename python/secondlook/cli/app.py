"""The application: its commands, and the options before a command."""

from typing import Annotated

import typer

from secondlook import __version__
from secondlook.cli import images, models, series
from secondlook.cli.one_line_errors import OneLineErrors

__all__ = ["app", "main"]

app = typer.Typer(
    name="secondlook",
    cls=OneLineErrors,
    add_completion=False,
    # Plain text, as scripts and terminals without Unicode can show.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 if the job is done, whatever it found; 1 with --fail-on-anomaly, if "
    "something anomalous was found; 2 for a wrong use or input, with one line on stderr; 3 if "
    "decide is done, but could not read some of the images; 130 after Ctrl-C. With --json, stdout "
    "is one JSON document. Output files are complete or absent.",
)

app.command("site")(series.site)
app.command("fleet")(series.fleet)
app.command("score")(models.score)
app.command("decide")(images.decide)
app.command("train")(images.train)
app.command("chest-xray")(images.chest_xray)
app.command("modules")(images.modules)
app.command("inspect")(models.inspect)


def main() -> None:
    """Run the command of this process's arguments, and exit with its status."""
    app(prog_name="secondlook")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"secondlook {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    debug: Annotated[  # read by OneLineErrors
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Find anomalies, say how sure that is, and name the cases that a person should look at."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
