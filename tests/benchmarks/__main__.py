"""Run benchmarks: `python -m tests.benchmarks NAME … [--short | --full]`.

A benchmark is a module in this folder whose `main` is given the pace, prints what it measured, and may keep
it in `results/`. The other modules are what benchmarks are made of.
"""

import importlib
import signal
import sys
from typing import Any

import click

from tests.benchmarks.harness import FULL, SHORT, USUAL

BENCHMARKS = {
    "floor": "ours against a bare application under the same server",
    "growth": "each operation at 1,000 to 1,000,000 comments",
    "peers": "ours beside Isso, Waline and WordPress",
    "simulation": "the capacity model: checked against this machine, then asked about more",
    "cluster": "three processes against one, and how soon each shows what another decided",
    "servers": "uvicorn beside Granian, under a bare application",
    "decisions": "decisions by many moderators at once, on PostgreSQL",
    "rendering": "the worst texts for the renderer",
}


@click.command(epilog="; ".join(f"{name}: {what}" for name, what in BENCHMARKS.items()))
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--short", "pace", flag_value="short", help="To see that it works; rough figures.")
@click.option("--full", "pace", flag_value="full", help="For figures to be shown around.")
def main(names: tuple[str, ...], pace: str | None) -> None:
    """Run benchmarks, one after the other; `floor` when none is named."""
    # Who is told to end still stops the servers and removes their databases, which may be large.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    chosen = {"short": SHORT, "full": FULL}.get(pace or "", USUAL)
    for name in names or ("floor",):
        print(f"\n=== {name} ===", flush=True)
        module: Any = importlib.import_module(f"tests.benchmarks.{name}")
        module.main(chosen)


if __name__ == "__main__":
    main()
