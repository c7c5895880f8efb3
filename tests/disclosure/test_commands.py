"""`protect` and `attack` as people call them: files in, files out, exit codes, one clear sentence where it is wrong."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

from orchestration.cli import app

AREAS = {"Süd": ["S1", "S2"], "Nord": ["N1", "N2"]}
DECLARATION = {
    "dimensions": {"area": {"hierarchy": AREAS}},
    "tables": {"by_area": {"dimensions": ["area", "sex"]}, "by_sex": {"dimensions": ["sex", "grade"]}},
}


def _call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    counts = {
        ("S1", "m"): 2,
        ("S1", "f"): 9,
        ("S2", "m"): 14,
        ("S2", "f"): 11,
        ("N1", "m"): 8,
        ("N1", "f"): 6,
        ("N2", "m"): 7,
        ("N2", "f"): 12,
    }
    finest = pd.DataFrame([(a, s, n) for (a, s), n in counts.items()], columns=["area", "sex", "value"])
    groups = pd.concat([
        finest, finest.assign(area=finest["area"].str[0].map({"S": "Süd", "N": "Nord"})), finest.assign(area="Total"),
    ])  # fmt: skip
    both = pd.concat([groups, groups.assign(sex="Total")])
    both.groupby(["area", "sex"], as_index=False)["value"].sum().to_csv(tmp_path / "by_area.csv", index=False)
    grades = [("m", "1", 20), ("m", "2", 11), ("f", "1", 1), ("f", "2", 37), ("Total", "1", 21), ("Total", "2", 48),
              ("m", "Total", 31), ("f", "Total", 38), ("Total", "Total", 69)]  # fmt: skip
    pd.DataFrame(grades, columns=["sex", "grade", "value"]).to_parquet(tmp_path / "by_sex.parquet")
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(DECLARATION, allow_unicode=True), encoding="utf-8")
    return tmp_path


def _protect(files: Path, *more: object) -> Result:
    return _call(
        "protect", "--declaration", files / "d.yaml", files / "by_area.csv", files / "by_sex.parquet", "--out", files / "out", *more
    )  # fmt: skip


def test_protected_files_stand_the_attack_and_the_proof_stays_apart(files: Path) -> None:
    done = _protect(files, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.output)["tables"]
    area = pd.read_csv(
        files / "out" / "by_area.csv",
        dtype={"value": "Int64"},
        keep_default_na=False,
        na_values={"value": [""]},
    )
    sex = pd.read_parquet(files / "out" / "by_sex.parquet")
    assert list(area.columns) == ["area", "sex", "value", "status", "sign"]
    for frame, name in ((area, "by_area"), (sex, "by_sex")):
        hidden = frame["status"] == "confidential"
        assert frame.loc[hidden, "value"].isna().all()
        assert frame.loc[~hidden, "value"].notna().all()
        assert set(frame.loc[hidden, "sign"]) == {"."}
        assert facts[name]["primary"] + facts[name]["secondary"] == hidden.sum()
        assert facts[name]["primary"] >= 1
        # Where more than three tenths are hidden, a step is named that loses less.
        assert ("coarser" in facts[name]) == (hidden.mean() > 0.3)
        assert "%" in facts[name].get("coarser", "%")
    proof_file = files / "out" / "private" / "proof.csv"
    assert stat.S_IMODE(proof_file.stat().st_mode) == 0o600
    proof = pd.read_csv(proof_file, dtype={"cell": str})
    assert list(proof.columns) == ["table", "cell", "lower", "upper", "primary"]
    truth = {"S1 | m": 2, "f | 1": 1}
    for cell, value in truth.items():
        (row,) = proof[proof["cell"] == cell].itertuples()
        assert row.primary
        assert row.lower <= value
        assert row.upper >= max(3, value + 2)
    told = [files / "out" / "by_area.csv", files / "out" / "by_sex.parquet"]
    attacked = _call("attack", "--declaration", files / "d.yaml", *told)
    assert attacked.exit_code == 0, attacked.output
    with_truth = _call("attack", "--declaration", files / "d.yaml", *told, "--truth", files)
    assert with_truth.exit_code == 0, with_truth.output


def test_standard_output_is_one_document_and_nothing_of_the_solver(files: Path) -> None:
    """In a process of its own: what the solver prints by itself does not pass through Python."""
    command = [
        Path(sys.executable).with_name("bildungsmonitor"), "protect", "--declaration", files / "d.yaml", files / "by_area.csv", files / "by_sex.parquet",
        "--out", files / "out", "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)["tables"]) == {"by_area", "by_sex"}
    assert done.stderr == ""


def test_rounded_files_say_how_far_they_are_from_the_truth(files: Path) -> None:
    declaration = {
        **DECLARATION,
        "tables": {n: {**t, "rounded_to": 5} for n, t in DECLARATION["tables"].items()},
    }
    (files / "d.yaml").write_text(yaml.safe_dump(declaration, allow_unicode=True), encoding="utf-8")
    done = _protect(files)
    assert done.exit_code == 0, done.output
    assert "rounded_to: im Mittel / on average" in done.output
    told = pd.read_csv(files / "out" / "by_area.csv")
    assert (told["value"].dropna() % 5 == 0).all()
    found = _call(
        "attack",
        "--declaration",
        files / "d.yaml",
        files / "out" / "by_area.csv",
        files / "out" / "by_sex.parquet",
    )
    assert found.exit_code == 0, found.output


def test_the_attack_names_cell_interval_and_equation(files: Path) -> None:
    frame = pd.read_csv(files / "by_area.csv", dtype=str)
    frame["status"] = "published"
    frame.loc[(frame["area"] == "S1") & (frame["sex"] == "m"), ["value", "status"]] = ["", "confidential"]
    told = files / "told"
    told.mkdir()
    frame.to_csv(told / "by_area.csv", index=False)
    found = _call("attack", "--declaration", files / "d.yaml", told / "by_area.csv", "--json")
    assert found.exit_code == 1
    (cell,) = json.loads(found.output)["opened"]
    assert (cell["cell"], cell["lower"], cell["upper"]) == ("by_area[S1, m]", 2, 2)
    assert cell["equation"].startswith("by_area[S1, m] = ")
    text = _call("attack", "--declaration", files / "d.yaml", told / "by_area.csv")
    assert "by_area[S1, m]  [2, 2]" in text.output
    assert "1 Zellen erschließbar" in text.output


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.replace("S1,m,2", "S1,m,-2"), "by_area.csv, row 13, column `value`: found -2"),
        (lambda f: f.replace("S1,m,2", "S1,m,zwei"), "row 13, column `value`: found 'zwei', expected a number"),
        (lambda f: f.replace("S1,m,2", "S1,m,3"), "but its parts make"),
        (lambda f: f.replace("S1,m,2", "S1,f,2"), "the cell S1 | f stands twice"),
        (lambda f: f.replace("S1,m,2", ",m,2"), "row 13: a code is missing"),
        (lambda f: f.replace("area,sex,value", "area,sex,n"), "no column `value`"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_table_is_named_and_nothing_is_written(
    files: Path, change: object, says: str
) -> None:
    path = files / "by_area.csv"
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    done = _protect(files)
    assert done.exit_code == 2
    assert says in done.output
    assert not (files / "out").exists()
    assert [p.name for p in files.iterdir() if p.name.startswith(".protect")] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tabels": {}}, "tabels"),
        ({"tables": {"by_area": {"dimensions": ["area", "sex"], "rule": {"frequency": 1}}}}, "tables.by_area.rule.frequency"),
        ({"dimensions": {"area": {"hierarchy": {"Süd": ["Nord"], "Nord": ["Süd"]}}}}, "is a part of itself"),
        ({"tables": {"by_sex": DECLARATION["tables"]["by_sex"]}}, "no table `by_area` is declared"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_declaration_is_named(files: Path, change: dict[str, object], says: str) -> None:
    (files / "d.yaml").write_text(
        yaml.safe_dump({**DECLARATION, **change}, allow_unicode=True), encoding="utf-8"
    )
    done = _protect(files)
    assert done.exit_code == 2
    assert says in done.output


def test_what_was_told_before_can_not_be_taken_back(files: Path) -> None:
    frozen = {
        **DECLARATION,
        "tables": {**DECLARATION["tables"], "by_area": {"dimensions": ["area", "sex"], "frozen": True}},
    }
    (files / "d.yaml").write_text(yaml.safe_dump(frozen, allow_unicode=True), encoding="utf-8")
    done = _protect(files)
    assert done.exit_code == 1
    assert "told before and sensitive, it can't be taken back: by_area[S1, m]" in done.output
    assert not (files / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(files: Path) -> None:
    (files / "out").mkdir()
    (files / "out" / "mine.txt").write_text("mine")
    assert _protect(files).exit_code == 2
    assert (files / "out" / "mine.txt").read_text() == "mine"


def test_protected_tables_can_be_attacked_without_the_columns_of_their_rules(tmp_path: Path) -> None:
    """Contributors and costs stay in the house, and the figures go out under one name."""
    rule = {"frequency": 3, "contributors": {"column": "schools", "minimum": 3}}
    declaration = {
        "tables": {"t": {"dimensions": ["type"], "value": "pupils", "rule": rule, "cost": "weight"}}
    }
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(declaration))
    frame = pd.DataFrame({
        "type": ["GYM", "IGS", "RSP", "Total"], "pupils": [800, 950, 1200, 2950], "schools": [4, 1, 5, 10], "weight": [3, 1, 2, 9],
    })  # fmt: skip
    frame.to_csv(tmp_path / "t.csv", index=False)
    done = _call(
        "protect", "--declaration", tmp_path / "d.yaml", tmp_path / "t.csv", "--out", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    told = pd.read_csv(tmp_path / "out" / "t.csv", keep_default_na=False)
    assert list(told.columns) == ["type", "value", "status", "sign"]
    assert told.loc[told["status"] == "confidential", "type"].tolist() == ["IGS", "RSP"]
    attacked = _call("attack", "--declaration", tmp_path / "d.yaml", tmp_path / "out" / "t.csv")
    assert attacked.exit_code == 0, attacked.output
    again = _call(
        "protect",
        "--declaration",
        tmp_path / "d.yaml",
        tmp_path / "out" / "t.csv",
        "--out",
        tmp_path / "more",
    )
    assert again.exit_code == 2
    assert "no column `schools`" in again.output


def _attack(folder: Path, tables: dict[str, dict[str, object]], *more: object, **declared: object) -> Result:
    """Attack the CSV files of a folder as declared."""
    declaration = {"tables": tables, **declared}
    (folder / "d.yaml").write_text(yaml.safe_dump(declaration, allow_unicode=True), encoding="utf-8")
    files = [folder / f"{name}.csv" for name in tables]
    return _call("attack", "--declaration", folder / "d.yaml", *files, *more)


def test_a_small_count_in_print_is_open(tmp_path: Path) -> None:
    """Nobody hid anything: every count below k is named, none other."""
    (tmp_path / "t.csv").write_text("area,value\nS1,2\nS2,14\nS3,0\nS4,1\nTotal,17\n", encoding="utf-8")
    done = _attack(tmp_path, {"t": {"dimensions": ["area"]}})
    assert done.exit_code == 1
    assert "t[S1] = 2" in done.output
    assert "t[S4] = 1" in done.output
    assert "2 Zellen erschließbar" in done.output


@pytest.mark.parametrize(
    ("rule", "columns", "opens"),
    [
        ({"frequency": 5}, "value", "t[S1] = 4"),
        ({"contributors": {"column": "schools", "minimum": 3}}, "value,schools", "t[S2] = 40"),
        ({"dominance": {"largest": ["first"], "percent": 85}}, "value,first", "t[S2] = 40"),
        ({"p_percent": {"largest": "first", "second": "second", "percent": 10}}, "value,first,second", "t[S2] = 40"),
        ({"request": "secret"}, "value,secret", "t[S2] = 40"),
    ],
)  # fmt: skip
def test_with_the_truth_every_sensitive_cell_in_print_is_open(
    tmp_path: Path, rule: dict[str, object], columns: str, opens: str
) -> None:
    truth = tmp_path / "truth"
    truth.mkdir()
    rows = {
        "S1": {"value": 4, "schools": 7, "first": 1, "second": 1, "secret": "no"},
        "S2": {"value": 40, "schools": 2, "first": 38, "second": 1, "secret": "yes"},
        "Total": {"value": 44, "schools": 9, "first": 20, "second": 10, "secret": "no"},
    }
    for folder, names in ((truth, columns.split(",")), (tmp_path, ["value"])):
        lines = [",".join(["area", *names])] + [
            ",".join([area, *(str(row[n]) for n in names)]) for area, row in rows.items()
        ]
        text = "\n".join(lines)
        if folder == tmp_path:
            text = "\n".join([lines[0] + ",status", *(line + ",published" for line in lines[1:])])
        (folder / "t.csv").write_text(text + "\n", encoding="utf-8")
    done = _attack(tmp_path, {"t": {"dimensions": ["area"], "rule": rule}}, "--truth", truth)
    assert done.exit_code == 1, done.output
    assert opens in done.output


@pytest.mark.parametrize(
    ("text", "table", "says"),
    [
        ("area,value\n", {}, "t.csv: no rows below the header, expected at least one"),
        ("area,value\nS1,inf\n", {}, "t.csv, row 2, column `value`: found 'inf', expected a number"),
        ("area,value\nS1,-inf\n", {}, "column `value`: found '-inf', expected a number"),
        ("area,value\nS1,7\n", {"where": {"c": "p"}},
         "dimension `c`: 'p' is its only code, so that it would be everybody; name the others, too: "
         "dimensions: {c: {hierarchy: {Total: [p, ...]}}}"),
        ("area,value\nS1,7\n", {"rule": {"all_or_none": ["sex"]}}, "all_or_none: sex is no dimension of the table: area"),
        ("area,value\nS1,7\n", {"where": {"c": "p"}, "plus": [{"d": "q"}]}, "plus: names ['d'], expected the dimensions of where: ['c']"),
    ],
)  # fmt: skip
def test_hostile_tables_and_declarations_get_one_clear_error(
    tmp_path: Path, text: str, table: dict[str, object], says: str
) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    declared = {"t": {"dimensions": ["area"], **table}}
    done = _attack(tmp_path, declared)
    assert done.exit_code == 2
    assert says in done.output
    again = _call(
        "protect", "--declaration", tmp_path / "d.yaml", tmp_path / "t.csv", "--out", tmp_path / "out"
    )
    assert again.exit_code == 2
    assert says in again.output
    assert not (tmp_path / "out").exists()


def test_a_table_of_all_or_none_that_hides_much_is_written_with_its_advice(tmp_path: Path) -> None:
    """More than 30 % hidden: the advice tries the table without a dimension that the rule names."""
    rows = [("S1", "m", 3), ("S1", "f", 0), ("S2", "m", 0), ("S2", "f", 4), ("S3", "m", 9), ("S3", "f", 2),
            ("S1", "Total", 3), ("S2", "Total", 4), ("S3", "Total", 11), ("Total", "m", 12), ("Total", "f", 6), ("Total", "Total", 18)]  # fmt: skip
    pd.DataFrame(rows, columns=["area", "sex", "value"]).to_csv(tmp_path / "t.csv", index=False)
    declared = {
        "tables": {"t": {"dimensions": ["area", "sex"], "rule": {"frequency": 3, "all_or_none": ["sex"]}}}
    }
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    done = _call(
        "protect", "--declaration", tmp_path / "d.yaml", tmp_path / "t.csv", "--out", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    assert "mehr als / more than 30% gesperrt" in done.output
    assert (tmp_path / "out" / "t.csv").exists()
