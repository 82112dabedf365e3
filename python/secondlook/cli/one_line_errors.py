"""The one place where errors and warnings become lines on stderr."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["FAILED", "STOPPED", "OneLineErrors"]

FAILED = 2
STOPPED = 130  # as a shell reports a process that Ctrl-C ended

# Typer has no public name for the errors of its parser in all of its versions.
_UsageError: Any = typer.BadParameter.__base__
# What the library raises for wrong input; anything else is a bug and keeps its traceback.
_WRONG_INPUT = (ValueError, TypeError, OSError, ImportError)


class OneLineErrors(TyperGroup):
    """Group of commands whose errors are one line on stderr, with exit status 2."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        with _one_line_errors(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Parse the rest, and run the command."""
        with _one_line_errors(ctx), _one_line_warnings(ctx):
            return super().invoke(ctx)


@contextmanager
def _one_line_errors(context: Any) -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        help_of = error.ctx.command_path if error.ctx is not None else context.command_path
        _say(context, f"{error.format_message()} (see {help_of} --help)")
        raise typer.Exit(FAILED) from None
    except BrokenPipeError:  # the reader of stdout has had enough, as in `| head`
        raise
    except _WRONG_INPUT as error:
        if context.params.get("debug"):
            raise
        _say(context, _told(error))
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        _say(context, "stopped")
        raise typer.Exit(STOPPED) from None


@contextmanager
def _one_line_warnings(context: Any) -> Iterator[None]:
    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        _say(context, f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _say(context: Any, message: str) -> None:
    name = context.invoked_subcommand
    # An unknown command is not part of the name of this one.
    command = f" {name}" if name in context.command.commands else ""
    typer.echo(f"{context.command_path}{command}: {' '.join(message.split())}", err=True)


def _told(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"'{error.filename}': {error.strerror}"
    return str(error) or type(error).__name__
