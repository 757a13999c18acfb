"""Run the benchmarks: `python -m tests.benchmarks [name …]`, all of them when none is named.

A benchmark is a module in this folder with a `main()` that prints what it measured.
"""

import importlib
import pkgutil
import sys
from pathlib import Path


def main(names: list[str]) -> None:
    found = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    found.discard("__main__")
    if unknown := sorted(set(names) - found):
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(sorted(found))}")
    for name in names or sorted(found):
        print(f"\n=== {name} ===", flush=True)
        importlib.import_module(f"tests.benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
