"""Published values: the committed tables, and what is refused."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pytest
import yaml

from srclib.experiments import grid
from srclib.verdicts.published import COLUMNS, PUBLISHED, load

NAN = math.nan
FILES = ("table1", "table2", "table3", "text", "release", "related")
NO_VALUE = {
    "value": "", "sd": "", "sd_as_printed": "", "trials": "", "margin": "", "confidence": "none",
    "reason": "not printed",
}  # fmt: skip


def a_row(**changes: str) -> dict[str, str]:
    row = {
        "id": "demo/base", "dataset": "mnist", "method": "sequential", "quantity": "accuracy", "unit": "percent",
        "value": "20.0", "sd": "0.2", "sd_as_printed": ".002",
        "trials": "5", "margin": "3", "against": "", "confidence": "high",
        "source": "a table", "reason": "",
    }  # fmt: skip
    return row | changes


def write(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


# The committed tables


@pytest.mark.parametrize("name", FILES)
def test_each_file_loads_and_gives_every_row(name: str) -> None:
    with (PUBLISHED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert ids
    assert set(ids) == {key for key in load().index if key.startswith(f"{name}/")}
    assert {path.stem for path in PUBLISHED.glob("*.csv")} == set(FILES)


@pytest.mark.parametrize(
    ("key", "value", "sd", "trials", "margin"),
    [
        ("table1/mnist/sequential", 19.49, 0.2, 5, 3),
        ("table1/mnist/src", 48.47, 5.03, 5, 3),
        ("table1/fashion_mnist/src+rehearsal", 67.818, 3.64, 5, 3),
        ("table1/cifar10/src+rehearsal", 58.24, 0.561, 5, 3),
        ("table1/cub200/src/task1", 63.2, NAN, 5, 3),
        ("table1/mnist/owm", NAN, NAN, NAN, NAN),
        ("table2/mnist/icarl+src/k100", 78.1, NAN, 5, 3),
        ("table2/fashion_mnist/icarl/k50", NAN, NAN, NAN, NAN),
        ("release/cifar10/src/setting4/task1", 59.85, NAN, 1, 3),
        ("text/mnist_two_tasks/src/firing/layer2/t", 5.215, NAN, NAN, NAN),
    ],
)
def test_values_as_printed(key: str, value: float, sd: float, trials: float, margin: float) -> None:
    row = load().loc[key, ["value", "sd", "trials", "margin"]].astype(float)
    assert row.tolist() == pytest.approx((value, sd, trials, margin), nan_ok=True)


def test_margins_are_those_of_their_units() -> None:
    """Three points, an epoch, a pixel; of other numbers none is judged."""
    judged = load().dropna(subset="margin")
    assert {tuple(pair) for pair in judged[["unit", "margin"]].to_numpy()} == {
        ("percent", 3),
        ("epochs", 1),
        ("pixels", 1),
    }


def test_tables_1_and_2_are_complete_and_compared_with_their_baseline() -> None:
    table = load()
    table1 = table[table.index.str.startswith("table1/")]
    table2 = table[table.index.str.startswith("table2/")]
    assert len(table1) == 8 * (4 + 2)  # methods x (data sets, CUB-200 with two tasks)
    assert len(table2) == 2 * 3 * 6  # methods x data sets x memory capacities
    assert set(table["method"][table1["against"].drop_duplicates()[1:]]) == {"sequential"}
    for frame, baseline in ((table1, "sequential"), (table2, "icarl")):
        assert (frame["method"].eq(baseline) == frame["against"].eq("")).all()
        assert (frame["method"][frame["against"][frame["against"] != ""]] == baseline).all()


def test_accuracies_are_percentages_and_missing_values_have_a_reason() -> None:
    table = load()
    accuracies = table[table["quantity"].str.fullmatch(r"accuracy(_task\d)?")]
    assert accuracies["value"].dropna().between(0, 100).all()
    assert (accuracies["unit"] == "percent").all()
    assert table.loc[table["value"].isna(), "reason"].ne("").all()
    assert table["value"].isna().any()


def test_text_and_table_tell_the_same() -> None:
    """The text rounds to whole percent."""
    table = load()
    for key in ("cub200/sequential/task1", "cub200/sequential/task2", "cub200/src/task1", "cub200/src/task2",
                "cifar10/sequential", "cifar10/src", "cross_modal/sequential", "cross_modal/src",
                "cross_modal/parallel"):  # fmt: skip
        assert abs(table.loc[f"text/{key}", "value"] - table.loc[f"table1/{key}", "value"]) < 1, key


def test_secondary_notes_are_explained() -> None:
    notes = {note for source in load()["source"] for note in re.findall(r"\bS\d\b", source)}
    readme = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    assert notes == {"S1", "S2", "S3", "S4", "S5", "S6"}
    assert all(f"| {note} |" in readme for note in notes)


# Bad files


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({"value": "4B"}, "value", "'4B' is not a plain decimal number"),
        ({"value": "nan"}, "value", "not a plain decimal number"),
        ({"value": "1e3"}, "value", "not a plain decimal number"),
        ({"sd": "inf"}, "sd", "not a plain decimal number"),
        ({"sd_as_printed": "±.002"}, "sd_as_printed", "not a plain decimal number"),
        ({"sd": "2"}, "sd", "2 is neither 0.002 as printed nor 100 times"),
        ({"sd": "0.02"}, "sd", "0.02 is neither"),
        ({"sd": "-0.2", "sd_as_printed": "-0.2"}, "sd", "neither"),
        ({"sd": ""}, "sd", "go together"),
        ({"value": "", "trials": "", "margin": "", "confidence": "none", "reason": "lost"}, "sd", "go together"),
        ({"margin": ""}, "margin", "margin and trials go together"),
        ({"trials": ""}, "margin", "margin and trials go together"),
        (NO_VALUE | {"trials": "5", "margin": "3"}, "margin", "and with a value"),
        ({"trials": "0"}, "trials", "0 is too small: allowed is 1 or more trials"),
        ({"trials": "2.5"}, "trials", "2.5 is no whole number"),
        ({"margin": "-1"}, "margin", "-1 is too small: allowed is 1 or more trials, a margin of 0 or more"),
        ({"margin": "three"}, "margin", "not a plain decimal number"),
        ({"confidence": "certain"}, "confidence", "'certain' is not one of high, medium-high, medium, none"),
        ({"confidence": "none"}, "confidence", "does not fit the value '20.0'"),
        (NO_VALUE | {"confidence": "high"}, "confidence", "does not fit the value ''"),
        (NO_VALUE | {"reason": ""}, "reason", "say why it is missing"),
        ({"dataset": "mnst"}, "dataset", "'mnst' is not one of"),
        ({"method": "sleep"}, "method", "'sleep' is not one of (empty), sequential"),
        ({"unit": "%"}, "unit", "'%' is not one of percent"),
        ({"quantity": ""}, "quantity", "is empty"),
        ({"source": ""}, "source", "is empty"),
        ({"source": "a table "}, "source", "blanks around it"),
        ({"id": "other/x"}, "id", "does not start with 'demo/'"),
        ({"id": "demo/base"}, "id", "'demo/base' is already in"),
        ({"against": "demo/bass"}, "against", "near matches: demo/base"),
        ({"against": "demo/x"}, "against", "'demo/x' is not the id of another row"),
        ({"against": "demo/base", "quantity": "accuracy_task1"}, "against", "another data set or quantity"),
        ({"against": "demo/base", "dataset": "cifar10"}, "against", "another data set or quantity"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_column(
    tmp_path: Path, changes: dict[str, str], column: str, message: str
) -> None:
    path = write(tmp_path / "demo.csv", [a_row(), a_row(**{"id": "demo/x"} | changes)])
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load(tmp_path)
    assert str(error.value).startswith(f"{path}, line 3, column {column}: ")


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, column id: found None"),
        (HEADER.replace("unit", "units").encode(), "line 1, column unit: found 'units'"),
        (HEADER.removesuffix(",reason").encode(), "line 1, column reason: found None"),
        ((HEADER + ",more").encode(), "line 1, column more: not one of id"),
        ((HEADER + "\ndemo/x,mnist\n").encode(), "line 2, column method: 2 cells, not 14"),
        ((HEADER + "\n" + "a," * 14 + "a\n").encode(), "line 2, column reason: 15 cells, not 14"),
        ((HEADER + '\ndemo/x,"mnist\n').encode(), "not a UTF-8 CSV file"),
        ((HEADER + "\ndemo/\xe9\n").encode("latin-1"), "not a UTF-8 CSV file"),
        (b"\xef\xbb\xbf" + HEADER.encode(), "line 1, column id: found"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "demo.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load(tmp_path)
    assert str(error.value).startswith(str(path))


def test_an_id_is_unique_over_files_and_a_folder_needs_a_table(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no table of published values"):
        load(tmp_path)
    write(tmp_path / "demo.csv", [a_row(), a_row()])
    with pytest.raises(ValueError, match=r"line 3, column id: 'demo/base' is already in .*demo\.csv, line 2"):
        load(tmp_path)


def test_every_disagreement_of_paper_and_code_is_switched_or_shown() -> None:
    entries = yaml.safe_load((PUBLISHED / "disagreements.yaml").read_text())
    assert len({entry["topic"] for entry in entries}) == len(entries) >= 25
    for entry in entries:
        assert entry.keys() - {"released", "described", "field", "other"} == {"topic", "paper", "code", "where"}
        assert ("field" in entry) != ("other" in entry)
        assert entry["where"].count(" | ") == 1
        for protocol in entry.keys() & {"released", "described"}:
            assert grid.cell("mnist", f"src/{entry[protocol]}", protocol) != grid.cell("mnist", "src", protocol)
    switched = {f"src/{entry['released']}" for entry in entries if "released" in entry}
    assert switched | {"src", "src/all_but_parameters"} == set(grid.settings("disagreements")["runs"])
