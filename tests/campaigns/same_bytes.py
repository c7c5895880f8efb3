"""Two nights on the same inputs and the same clock make the same bytes, however many workers compute them.

    python -m tests.campaigns.same_bytes

Runs the embedded default twice, with as many workers as there are processors and with one, and compares every file of
both releases. With `--config` another city.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import yaml

from orchestration.settings import DEFAULT_CONFIG
from tests.support.nights import differing, run


def campaign(config: Path, folder: Path) -> list[str]:
    """What differs between the release of one worker and that of several; nothing, if all is well."""
    facts = yaml.safe_load(config.read_text(encoding="utf-8"))
    homes = []
    for workers in ("auto", 1):
        own, home = folder / f"{workers}.yaml", folder / f"var-{workers}"
        own.write_text(yaml.safe_dump({**facts, "workers": workers}, allow_unicode=True), encoding="utf-8")
        night = run("nightly", "--config", str(own), "--home", str(home), "--json")
        assert night.code == 0, night.err
        homes.append(home)
    return differing(*homes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(arguments.config, Path(folder))
    print("\n".join(found) or "every file has the same bytes")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
