"""The program `lpm`: its verbs, and how errors become exit codes.

0 done, 1 error, 2 usage, 3 configuration, 4 chain or RPC, 5 a guard vetoed; 130 interrupted, as
shells count a Ctrl-C. Commands import what they need when they run: `lpm --help` stays quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from lpmanager import __version__
from lpmanager.cli import (
    backtest,
    calibrate,
    config,
    demo,
    doctor,
    execute,
    fetch,
    halt,
    init,
    keys,
    plan,
    report,
    resume,
    risk,
    run,
    simulate,
    status,
    sweep,
    vault,
)
from lpmanager.cli.campaigns import INTERRUPTED
from lpmanager.errors import LpmError

app = typer.Typer(
    name="lpm",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run concentrated liquidity the way a market maker runs inventory.",
)
app.command("init")(init.init)
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)
app.command("status")(status.status)
app.command("plan")(plan.plan)
app.command("execute")(execute.execute)
app.command("run")(run.run)
app.command("report")(report.report)
app.command("risk")(risk.risk)
app.command("calibrate")(calibrate.calibrate)
app.command("halt")(halt.halt)
app.command("resume")(resume.resume)
app.add_typer(vault.app, name="vault")
app.add_typer(keys.app, name="keys")
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("backtest")(backtest.backtest)
app.command("sweep")(sweep.sweep)
app.command("fetch")(fetch.fetch)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"lpm {__version__}\n")
        raise typer.Exit


@app.callback()
def start(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details too.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options before the verb."""
    from lpmanager.cli.output import configure_logging

    configure_logging(verbose=verbose)


def main() -> None:
    """Run `lpm` with the process's arguments, and exit."""
    run_program(app, "lpm")


def run_program(program: Callable[..., object], name: str) -> None:
    """Run a Typer program with the process's arguments; an LpmError becomes its exit code and a
    line on stderr for each of its own."""
    try:
        program(prog_name=name)
    except LpmError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"{name}: {line}\n")
        sys.exit(error.exit_code)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            sys.stderr.write(f"{name}: interrupted\n")
        raise


if __name__ == "__main__":
    main()
