"""Commands for storage sites and fleets."""

from pathlib import Path
from typing import Annotated

import typer

from secondlook._shared.html_page import can_draw
from secondlook._shared.whole_file import require_writable
from secondlook.cli.arguments import (
    FOUND_ANOMALIES,
    AsJson,
    FailOnAnomaly,
    Simulate,
    note,
    print_json,
    require_source,
)

__all__ = ["fleet", "site"]


def site(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder with a folder per cluster.")
    ] = None,
    report: Annotated[
        Path, typer.Option("--report", "-o", metavar="FILE", help="HTML report to write.")
    ] = Path("report.html"),
    simulate: Simulate = False,
    fail_on_anomaly: FailOnAnomaly = False,
    json: AsJson = False,
) -> None:
    """List the sensors of a storage site to look at, and why."""
    from secondlook.jobs.site_check import check_simulated_site, check_site

    require_source("DIR, the folder of a site", directory, simulate)
    require_writable("--report", report)
    check = check_simulated_site() if directory is None else check_site(directory)
    check.write_report(report)
    if json:
        print_json("site", check.to_dict(), report=report)
    else:
        if directory is None:
            typer.echo("This is a SIMULATED site with injected faults.\n")
        typer.echo(f"{check}\n")
    _state_report(report, to_stdout=not json)
    if fail_on_anomaly and check.findings:
        raise typer.Exit(FOUND_ANOMALIES)


def fleet(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="CSV file: device, time, voltage, current, temperature."
        ),
    ] = None,
    report: Annotated[
        Path, typer.Option("--report", "-o", metavar="FILE", help="HTML report to write.")
    ] = Path("report_fleet.html"),
    simulate: Simulate = False,
    days: Annotated[
        int, typer.Option(help="Days to simulate after the two weeks of training.")
    ] = 14,
    fail_on_anomaly: FailOnAnomaly = False,
    json: AsJson = False,
) -> None:
    """Monitor a fleet of batteries, and train every night.

    Every sample is judged as it arrives. The first two weeks are assumed to be normal, and train
    the model.
    """
    require_source("FILE, the samples of a fleet", file, simulate)
    require_writable("--report", report)
    from secondlook.jobs.fleet_monitor import monitor_fleet, monitor_simulated_fleet

    announce = None if json else typer.echo
    if file is None:
        if not json:
            typer.echo("This is a SIMULATED fleet of ten packs with injected faults.")
        result = monitor_simulated_fleet(days, announce=announce)
    else:
        result = monitor_fleet(file, announce=announce)
    result.write_report(report)
    if json:
        print_json("fleet", result.to_dict(), report=report)
    else:
        typer.echo(f"\n{result}")
    _state_report(report, to_stdout=not json)
    if fail_on_anomaly and result.monitor.alerts:
        raise typer.Exit(FOUND_ANOMALIES)


def _state_report(report: Path, *, to_stdout: bool) -> None:
    if to_stdout:
        typer.echo(f"Report{' with pictures' if can_draw() else ''}: {report}")
    if not can_draw():
        note(
            "note: the report has no pictures, as matplotlib is missing; "
            "pip install 'secondlook[plot]'"
        )
