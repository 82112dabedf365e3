"""Commands for model files of any kind, and for tables."""

from pathlib import Path
from typing import Annotated

import typer

from secondlook._shared.whole_file import require_writable
from secondlook.cli.arguments import FOUND_ANOMALIES, AsJson, FailOnAnomaly, note, print_json

__all__ = ["inspect", "score"]


def score(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model file of a detector.")],
    table: Annotated[
        Path, typer.Argument(metavar="CSV", help="Rows to score, with the model's columns.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="CSV file to write. Default: stdout."),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of times. Default: the first, if not numbers."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of devices, each of which is a series."),
    ] = None,
    fail_on_anomaly: FailOnAnomaly = False,
    json: AsJson = False,
) -> None:
    """Score the rows of a CSV file, with verdicts and reasons.

    Columns are matched by name with those that the model was trained on; others are ignored.
    """
    from secondlook.jobs.table_scores import score_table

    if output is not None:
        require_writable("--output", output)
    scores = score_table(model, table, time_column=time, device_column=device)
    if output is not None:
        scores.write_csv(output)
    if json:
        print_json("score", scores.to_dict(), output=output)
    elif output is not None:
        typer.echo(f"{scores}\nScores: {output}")
    else:
        typer.echo(scores.to_csv(), nl=False)
        note(str(scores))
    if fail_on_anomaly and scores.n_anomalies:
        raise typer.Exit(FOUND_ANOMALIES)


def inspect(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model file of any kind.")],
    json: AsJson = False,
) -> None:
    """Show what a model file contains.

    Its kind, features, decision rule, guarantee and versions. Works without torch.
    """
    from secondlook.jobs.model_summary import inspect_model

    summary = inspect_model(model)
    if json:
        print_json("inspect", summary.to_dict())
    else:
        typer.echo(str(summary))
