"""Kill a night with SIGKILL at random moments: the served release is whole, the next night runs.

    python -m tests.campaigns.kills --kills 30 --seed 1

Every night of the campaign has something new to publish, so that kills strike the publication
too. After each kill: `current` is a complete release (every file's hash is the manifest's) or
there was none yet; then the next night runs through by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from expectations.catalogue import load_catalogue
from orchestration.collect.sample.generate import write_sample
from orchestration.publish.release import ReleaseStore
from tests.support.deliveries import edit_line
from tests.support.nights import PROJECT, command, environment, folder_config
from tests.support.seeds import clone

START = 5.0
"""Seconds in which a night's process imports what it needs; they are in no outcome."""

BIRTHS = "12612-01-01-4_00.csv"


WAIVER = """
id: births
check: revision
table: pub_population
scope: 12612-01-01-4
reason: live births change every night of this campaign
owner: tests
made_on: 2026-11-01
expires: 2027-10-31
"""


class City:
    """A city on a folder of files whose live births change from night to night."""

    def __init__(self, folder: Path, after: Path | None = None) -> None:
        """A new city, or one like `after`, which has had its first night already."""
        self.folder = folder
        self.delivery = folder / "delivery"
        if after is None:
            write_sample(self.delivery, load_catalogue())
        else:
            shutil.copytree(after / "delivery", self.delivery)
            clone(after / "var", folder / "var")
        self.config = folder_config(folder / "city.yaml", self.delivery)
        # A published year that changes every night needs somebody who answers for it.
        own = folder / "own" / "waivers"
        own.mkdir(parents=True)
        (own / "births.yml").write_text(WAIVER, encoding="utf-8")
        self.config.write_text(self.config.read_text() + f"catalogue: {folder / 'own'}\n", encoding="utf-8")
        self.home = folder / "var"
        self.night = 0

    def next_delivery(self) -> None:
        """Two more births in Ahrweiler, and a later state of the data."""
        self.night += 1
        file = self.delivery / BIRTHS
        boys, girls = 500 + self.night, 480 + self.night
        cells = {3: str(boys + girls), 4: str(boys), 5: str(girls)}
        edit_line(file, "2025;07131;", cells, "utf-8")
        text = file.read_text(encoding="utf-8")
        head, _stand = text.rsplit("Stand: ", 1)
        day, minute = 1 + self.night // 1400, self.night % 1400
        file.write_text(
            f"{head}Stand: {day:02d}.12.2026 / {minute // 60:02d}:{minute % 60:02d}:00\n", encoding="utf-8"
        )

    def start(self) -> subprocess.Popen[bytes]:
        clock = str(1795500000 + 86400 * self.night)
        return subprocess.Popen(
            command("nightly", "--config", str(self.config), "--home", str(self.home), "--json"),
            cwd=PROJECT, env=environment(SOURCE_DATE_EPOCH=clock), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def whole(self) -> bool:
        """Is what readers see a complete release? None at all is whole, too."""
        release = ReleaseStore(self.home / "releases").current()
        if release is None:
            return True
        damage = release.damage()
        for line in damage:
            print(f"  DAMAGE {release.id}: {line}")
        return not damage

    def stage(self) -> str:
        """Roughly where the night was when it was killed, by what lies on disk."""
        if (
            list((self.home / "releases").glob(".staging-*"))
            or (self.home / "releases" / ".current.part").exists()
        ):
            return "publish"
        if (self.home / "landing").exists() and list((self.home / "landing").glob("**/.*.part")):
            return "collect"
        return "other"


def campaign(kills: int, seed: int, folder: Path, after: Path | None = None) -> bool:
    """Run the campaign; True if every kill left a whole release and every next night ran through.

    `after`: a city after its first night.
    """
    rng = random.Random(seed)
    city = City(folder, after)
    if after is None:
        started = time.monotonic()
        first = city.start()
        first.communicate()
        length = time.monotonic() - started
        print(f"an undisturbed night takes {length:.1f} s and ended with {first.returncode}")
        if first.returncode != 0:
            return False
    else:
        night = json.loads((after / "var" / "warehouse" / "last_night.json").read_text())
        length = sum(night["seconds"].values()) + START
    good = True
    struck: Counter[str] = Counter()
    for number in range(1, kills + 1):
        city.next_delivery()
        night = city.start()
        # Half of the kills strike the last third, where the release is written and switched.
        moment = rng.uniform(0, 0.97 * length) if number % 2 else rng.uniform(0.65 * length, 0.97 * length)
        time.sleep(moment)
        ended = night.poll() is not None
        if not ended:
            os.killpg(night.pid, signal.SIGKILL)
        night.communicate()
        where = "after the end" if ended else city.stage()
        struck[where] += 1
        whole = city.whole()
        following = city.start()
        _, words = following.communicate()
        ran = following.returncode == 0 and city.whole()
        if not ran:
            print(words.decode()[-2000:])
        good &= whole and ran
        print(
            f"{number:3d}  killed after {moment:5.1f} s ({where}): release {'whole' if whole else 'BROKEN'}, "
            f"next night {'ran through' if ran else 'FAILED'}",
            flush=True,
        )
    print(
        f"{kills} kills ({dict(struck)}): {'all releases whole, every next night ran through' if good else 'FAILED'}"
    )
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        good = campaign(chosen.kills, chosen.seed, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
