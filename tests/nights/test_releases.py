"""Going back to an earlier release: at once, and the next night does not undo it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from tests.campaigns.publications import FIRST, SECOND, publish_number
from tests.support.nights import invoke
from tests.support.seeds import clone


def test_what_was_taken_back_is_not_published_again(city_base: Path, tmp_path: Path) -> None:
    home, config = tmp_path / "var", city_base / "city.yaml"
    clone(city_base / "var", home)
    good, as_expected = publish_number(home, config, 1, poison=False)
    assert as_expected
    bad, as_expected = publish_number(home, config, 2, poison=False)
    assert as_expected
    at = ("--home", str(home))
    differing = invoke("release", "diff", good, bad, "--cells", "1", *at)
    assert differing.code == 1
    assert f"{FIRST}: 0 neu / new, 1 geändert / changed" in differing.out
    assert "value: 91.0 → 92.0" in differing.out
    assert invoke("release", "rollback", "nonsense", "--reason", "x", *at).code == 2
    assert invoke("release", "rollback", bad, "--reason", "x", *at).code == 2  # it is served
    done = invoke("release", "rollback", good, "--reason", "Zehnfaches", *at)
    assert done.code == 0, done.err
    assert (home / "releases" / "current").resolve().name == good
    # The next night computes the same figures: they stay out, though no check finds anything.
    again = invoke("publish", "--config", str(config), "--json", *at)
    assert again.code == 3, again.out + again.err
    held = {row["table"]: row["reason_de"] for row in again.json["tables"] if not row["published"]}
    assert held == dict.fromkeys((FIRST, SECOND), "Genau dieser Stand wurde zurückgezogen: Zehnfaches")
    served = (home / "releases" / "current").resolve()
    assert invoke("release", "diff", good, served.name, *at).out.count("value") == 0
    listed = invoke("release", "list", "--json", *at).json
    assert {row["release"]: row["withdrawn"] for row in listed}[bad] == "Zehnfaches"
    assert invoke("release", "verify", "--all", "--repair", *at).code == 0
    cited = invoke("cite", FIRST, "--release", good, "--config", str(config), *at)
    assert good in cited.out
    other = publish_number(home, config, 3, poison=False)
    assert other[1]
    assert (
        json.loads((served.parent / "current" / "manifest.json").read_text())["tables"][FIRST]["status"]
        == "published"
    )


def test_one_release_can_t_be_two_questions(city_base: Path) -> None:
    at = ("--home", str(city_base / "var"))
    assert invoke("release", "show", "20990101T000000Z", *at).code == 2
    assert "expected YYYY-MM-DD" in invoke("release", "show", "--on", "heute", *at).err
    shown = invoke("release", "show", *at)
    assert (shown.code, FIRST in shown.out) == (0, True)


def test_a_night_publishes_to_postgresql_too_and_says_when_it_can_t(
    city_base: Path, tmp_path: Path, postgresql: str
) -> None:
    home, config = tmp_path / "var", tmp_path / "city.yaml"
    clone(city_base / "var", home)
    url = postgresql.replace("postgresql://", "postgresql+psycopg://")
    text = (city_base / "city.yaml").read_text(encoding="utf-8")
    target = "publication: {{databases: [{{url: '{}', schema: a_night}}]}}\n"
    config.write_text(text + target.format(url), encoding="utf-8")
    at = ("--config", str(config), "--home", str(home))
    done = invoke("publish", "--json", *at)  # nothing new in the files, but the database is behind
    assert done.code == 0, done.out + done.err
    served = (home / "releases" / "current").resolve()
    assert [(s["release"], s["error"]) for s in done.json["databases"]] == [(served.name, None)]
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("select release_id from a_night.release")).scalar() == served.name
        for path in sorted((served / "parquet").glob("*.parquet")):
            rows = connection.execute(sa.text(f'select count(*) from a_night."{path.stem}"')).scalar()
            assert rows == pq.ParquetFile(path).metadata.num_rows
    engine.dispose()
    unreachable = "postgresql+psycopg://office:geheim@127.0.0.1:1/none"
    config.write_text(text + target.format(unreachable), encoding="utf-8")
    failed = invoke("publish", "--json", *at)
    assert failed.code == 1
    assert failed.json["release_id"] == served.name  # the files are served all the same
    assert "office:***@127.0.0.1:1/none" in failed.err
    assert "geheim" not in failed.out + failed.err
    assert invoke("release", "verify", "--repair", *at).code == 1
