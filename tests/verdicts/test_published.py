"""Published values: the committed tables, the verdicts and their drawing."""

from __future__ import annotations

import csv
import dataclasses
import html
import math
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from srclib.experiments import grid
from srclib.pages.tables import styled
from srclib.verdicts import judging
from srclib.verdicts.judging import MARKS, check_expected, judge, verdicts
from srclib.verdicts.published import COLUMNS, EXPECTED, PUBLISHED, load

FILES = ("table1", "table2", "table3", "text", "release", "related")
NO_VALUE = {"value": "", "sd": "", "sd_as_printed": "", "confidence": "none", "reason": "not printed"}


def a_row(**changes: str) -> dict[str, str]:
    row = {
        "id": "demo/base", "dataset": "mnist", "method": "sequential", "quantity": "accuracy", "unit": "percent",
        "value": "20.0", "sd": "0.2", "sd_as_printed": ".002", "against": "", "confidence": "high",
        "source": "a table", "reason": "",
    }  # fmt: skip
    return row | changes


def write(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """Two accuracies (baseline 20.0 ± 0.2, method 50 ± 5), and one that is not known."""
    rows = [
        a_row(),
        a_row(id="demo/src", method="src", value="50", sd="5", sd_as_printed="5", against="demo/base"),
        a_row(id="demo/owm", method="owm", against="demo/base", **NO_VALUE),
    ]
    write(tmp_path / "demo.csv", rows)
    return load(tmp_path)


# The committed tables


@pytest.mark.parametrize("name", FILES)
def test_each_file_loads_and_gives_every_row(name: str) -> None:
    with (PUBLISHED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert ids
    assert set(ids) == {key for key in load().index if key.startswith(f"{name}/")}
    assert {path.stem for path in PUBLISHED.glob("*.csv")} == {*FILES, EXPECTED.stem}


@pytest.mark.parametrize(
    ("key", "value", "sd", "resolution"),
    [
        ("table1/mnist/sequential", 19.49, 0.2, 0.01),
        ("table1/mnist/src", 48.47, 5.03, 0.01),
        ("table1/mnist/parallel", 98.02, 0.6, 0.01),
        ("table1/fashion_mnist/src", 41.68, 5.04, 0.01),
        ("table1/fashion_mnist/src+rehearsal", 67.818, 3.64, 0.001),
        ("table1/cifar10/src+rehearsal", 58.24, 0.561, 0.01),
        ("table1/cross_modal/src", 61.33, 1.5, 0.01),
        ("table1/cub200/src/task1", 63.2, math.nan, 0.1),
        ("table1/mnist/owm", math.nan, math.nan, 1),
        ("table2/mnist/icarl+src/k100", 78.1, math.nan, 0.1),
        ("table2/fashion_mnist/icarl/k50", math.nan, math.nan, 1),
        ("text/cifar10/src", 44, math.nan, 1),
        ("text/mnist_two_tasks/src", 90, math.nan, 1),
        ("text/cifar10/icarl+src/epochs_saved", 2.80, math.nan, 0.01),
        ("text/mnist_two_tasks/src/firing/layer2/t", 5.215, math.nan, 0.001),
        ("release/cifar10/src/setting4/task1", 59.85, math.nan, 0.01),
    ],
)
def test_values_as_printed(key: str, value: float, sd: float, resolution: float) -> None:
    row = load().loc[key]
    assert (row["value"], row["sd"], row["resolution"]) == pytest.approx((value, sd, resolution), nan_ok=True)


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
    table = load()
    for key in ("cub200/sequential/task1", "cub200/sequential/task2", "cub200/src/task1", "cub200/src/task2",
                "cifar10/sequential", "cifar10/src", "cross_modal/sequential", "cross_modal/src",
                "cross_modal/parallel"):  # fmt: skip
        said, printed = table.loc[f"text/{key}"], table.loc[f"table1/{key}"]
        assert abs(said["value"] - printed["value"]) < said["resolution"], key


def test_secondary_notes_are_explained() -> None:
    notes = {note for source in load()["source"] for note in re.findall(r"\bS\d\b", source)}
    readme = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    assert notes == {"S1", "S2", "S3", "S4", "S5", "S6"}
    assert all(f"| {note} |" in readme for note in notes)


def test_expected_verdicts_name_known_rows() -> None:
    check_expected(verdicts({}))
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        assert {row["id"] for row in csv.DictReader(file)} <= set(load().index)


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
        ({"value": "", "confidence": "none", "reason": "lost"}, "sd", "go together"),
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
        ((HEADER + "\ndemo/x,mnist\n").encode(), "line 2, column method: 2 cells, not 12"),
        ((HEADER + "\n" + "a," * 12 + "a\n").encode(), "line 2, column reason: 13 cells, not 12"),
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
    (tmp_path / EXPECTED.name).write_text("id,protocol,verdict,note\n")
    with pytest.raises(ValueError, match="no table of published values"):
        load(tmp_path)
    write(tmp_path / "demo.csv", [a_row(), a_row()])
    with pytest.raises(ValueError, match=r"line 3, column id: 'demo/base' is already in .*demo\.csv, line 2"):
        load(tmp_path)


@given(st.integers(-99_999, 99_999), st.integers(0, 4))
def test_resolution_is_one_unit_of_the_last_printed_digit(tmp_path_factory, digits: int, decimals: int) -> None:
    folder = tmp_path_factory.mktemp("published")
    write(folder / "demo.csv", [a_row(value=f"{digits / 10**decimals:.{decimals}f}")])
    row = load(folder).loc["demo/base"]
    assert row["resolution"] == pytest.approx(10**-decimals)
    assert row["value"] / row["resolution"] == pytest.approx(digits)


# Verdicts

SRC = {"value": 50.0, "sd": 5.0, "resolution": 1.0}
EXACT = {"value": 50.0, "sd": math.nan, "resolution": 0.1}
UNKNOWN = {"value": math.nan, "sd": math.nan, "resolution": 1.0}


@pytest.mark.parametrize(
    ("row", "runs", "baseline", "published_baseline", "verdict"),
    [
        pytest.param(SRC, [49, 51], None, None, "agrees", id="same mean"),
        pytest.param(SRC, [60.5], None, None, "agrees", id="2 published sd and half a digit, one run"),
        pytest.param(SRC, [60.6], None, None, "differs", id="beyond 2 published sd and half a digit, one run"),
        pytest.param(EXACT, [50.05], None, None, "agrees", id="half a digit without any sd"),
        pytest.param(EXACT | {"value": 63.2}, [63.15], None, None, "agrees", id="half a digit below, binary rounding"),
        pytest.param(EXACT, [50.06], None, None, "differs", id="more than half a digit"),
        pytest.param(EXACT, [50, 60], None, None, "agrees", id="within our own sd"),
        pytest.param(EXACT, [59, 61], None, None, "differs", id="beyond our own sd"),
        pytest.param(SRC, [49, 51], [20, 21], 20.0, "agrees", id="same effect"),
        pytest.param(SRC, [30, 31], [20, 21], 20.0, "differs", id="smaller effect of the same sign"),
        pytest.param(SRC, [18, 19], [20, 21], 20.0, "opposite", id="published above, ours below"),
        pytest.param(SRC, [90, 91], [80, 81], 95.0, "opposite", id="published below, ours above"),
        pytest.param(SRC, [45, 46], [70, 71], 20.0, "opposite", id="near the value but of the wrong sign"),
        pytest.param(SRC, [17.1, 19.1], [20, 22], 20.0, "opposite", id="wrong sign by 2.05 standard errors"),
        pytest.param(SRC, [17.2, 19.2], [20, 22], 20.0, "differs", id="wrong sign by 1.98 standard errors"),
        pytest.param(SRC, [18.0], [20, 21], 20.0, "differs", id="wrong sign, one run has no standard error"),
        pytest.param(SRC, [18, 19], [20.0], 20.0, "differs", id="wrong sign, one run of the baseline"),
        pytest.param(SRC, [18, 19], [20, 21], 50.0, "differs", id="no published effect to reverse"),
        pytest.param(SRC, [18, 19], [20, 21], math.nan, "differs", id="published baseline not known"),
        pytest.param(SRC, [18, 19], None, 20.0, "differs", id="baseline not reproduced"),
        pytest.param(SRC, [18, 19], [20, 21], None, "differs", id="baseline not published"),
        pytest.param(UNKNOWN, [50, 51], None, None, "no published value", id="no value"),
        pytest.param(UNKNOWN, [18, 19], [20, 21], 20.0, "no published value", id="no value, but a baseline"),
    ],
)
def test_judge(row, runs, baseline, published_baseline, verdict: str) -> None:
    assert judge(pd.Series(row, name="x"), runs, baseline, published_baseline).verdict == verdict


@pytest.mark.parametrize(
    ("runs", "claim", "verdict"),
    [
        ([1, 1.1, 0.9], "> 0", "agrees"),
        ([1, 1.1, 0.9], "< 0", "opposite"),
        ([-1, -1.1, -0.9], "< 0", "agrees"),
        ([1, 2, 0.2], "> 0", "differs"),  # t = 2.05 with two degrees of freedom, p = 0.18
        ([1, 2, 0.2], "< 0", "differs"),
        ([0.3, 1, 2, 0.2, 0.7], "> 0", "differs"),  # t = 2.60 with four, p = 0.06
        ([0.5, 1, 2, 0.4, 0.7], "> 0", "agrees"),  # t = 3.20 with four, p = 0.03
        ([2, 2], "> 0", "agrees"),
        ([0, 0], "> 0", "differs"),
        ([5], "> 0", "differs"),  # one run has no significance
        ([1, 1.1, 0.9], "", "no published value"),
    ],
)
def test_judge_a_direction(runs: list[float], claim: str, verdict: str) -> None:
    assert judge(pd.Series(UNKNOWN, name="x"), runs, claim=claim).verdict == verdict


def test_a_published_value_goes_before_a_direction() -> None:
    assert judge(pd.Series(SRC, name="x"), [49, 51], claim="< 0").verdict == "agrees"


def test_judge_reports_mean_and_sample_deviation() -> None:
    result = judge(pd.Series(SRC, name="x"), [40, 41, 42, 41, 46])
    assert dataclasses.astuple(result) == ("x", 50.0, 5.0, 42.0, pytest.approx(5.5**0.5), 5, -8.0, "agrees")
    one = judge(pd.Series(SRC, name="x"), [40])
    assert math.isnan(one.reproduced_sd)
    assert (one.reproduced, one.n) == (40, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.n = 2  # type: ignore[misc]


@pytest.mark.parametrize(("runs", "baseline"), [([], None), ([math.nan], None), ([1, math.inf], None), ([1, 2], [])])
def test_judge_refuses_runs_that_are_no_numbers(runs, baseline) -> None:
    with pytest.raises(ValueError, match=r"x: runs .* needed: one finite number or more"):
        judge(pd.Series(SRC, name="x"), runs, baseline, 20.0)


accuracies = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)
some_runs = st.lists(accuracies, min_size=1, max_size=6)
maybe_sd = st.one_of(st.just(math.nan), st.integers(0, 1_000).map(lambda hundredths: hundredths / 100))


@given(accuracies, maybe_sd, some_runs, some_runs, accuracies)
def test_judge_follows_its_definition(value, sd, runs, baseline, published_baseline) -> None:
    row = pd.Series({"value": value, "sd": sd, "resolution": 0.01}, name="x")
    result = judge(row, runs, baseline, published_baseline)
    assert result.verdict in MARKS
    assert result.difference == pytest.approx(result.reproduced - value)
    assert judge(row, runs[::-1], baseline[::-1], published_baseline).verdict == result.verdict
    frame = pd.concat([pd.Series(runs), pd.Series(baseline)], axis=1)
    effect = frame[0].mean() - frame[1].mean()
    error = math.hypot(*(frame.std() / frame.count() ** 0.5))
    if math.isnan(error) or abs(abs(effect) - 2 * error) > 1e-6:
        reverses = (effect > 0) != (value > published_baseline) and value != published_baseline
        assert (result.verdict == "opposite") == (reverses and abs(effect) > 2 * error)
    if result.verdict == "agrees":
        row["sd"] = (0 if math.isnan(sd) else sd) + 1
        assert judge(row, runs, baseline, published_baseline).verdict == "agrees"


@given(accuracies, maybe_sd, st.floats(-3, 3), st.integers(2, 6))
def test_agreement_has_a_sharp_edge(value: float, sd: float, deviations: float, n: int) -> None:
    """Runs with no spread agree up to twice the published deviation and half a digit, and no further."""
    known = 0.0 if math.isnan(sd) else sd
    mean = value + deviations * known + math.copysign(0.004, deviations)
    verdict = judge(pd.Series({"value": value, "sd": sd, "resolution": 0.01}, name="x"), [mean] * n).verdict
    excess = abs(mean - value) - (2 * known + 0.005)
    if abs(excess) > 1e-6:
        assert verdict == ("agrees" if excess < 0 else "differs")


def test_verdicts_look_up_the_baseline(table: pd.DataFrame) -> None:
    runs = {"demo/src": [10, 11], "demo/base": [20, 20.2], "demo/owm": [30.0]}
    frame = verdicts(runs, "described", table)
    assert list(frame.columns) == [
        "id", "protocol", "published", "published_sd", "reproduced", "reproduced_sd", "n", "difference", "verdict",
        "claim",
    ]  # fmt: skip
    assert dict(zip(frame["id"], frame["verdict"], strict=True)) == {
        "demo/src": "opposite", "demo/base": "agrees", "demo/owm": "no published value",
    }  # fmt: skip
    assert set(frame["protocol"]) == {"described"}
    alone = verdicts({"demo/src": [10, 11]}, table=table)
    assert list(alone["verdict"]) == ["differs"]
    assert verdicts({}).empty


def test_an_unknown_id_is_named_with_near_matches() -> None:
    with pytest.raises(ValueError, match=r"no published row 'table1/mnist/scr'; near matches: .*table1/mnist/src\b"):
        verdicts({"table1/mnist/scr": [1.0]})
    with pytest.raises(ValueError, match=r"no published row 'QQ'$"):
        verdicts({"QQ": [1.0]})


# Expected verdicts


def expected_file(path: Path, *rows: tuple[str, str, str]) -> Path:
    columns = ("id", "protocol", "verdict", "note")
    return write(path, [dict(zip(columns, (*row, ""), strict=True)) for row in rows], columns)


def test_check_expected_tells_changed_new_and_missing(table: pd.DataFrame, tmp_path: Path) -> None:
    released = verdicts({"demo/base": [20], "demo/src": [50, 51]}, "released", table)
    described = verdicts({"demo/base": [20]}, "described", table)
    path = expected_file(
        tmp_path / "expected.csv",
        ("demo/base", "released", "agrees"),
        ("demo/src", "released", "differs"),
        ("demo/owm", "described", "no published value"),
    )
    assert check_expected(pd.concat([released, described]), path) == [
        "new: demo/base (described): agrees, without a row in expected.csv",
        "missing: demo/owm (described): expected no published value, not reproduced",
        "changed: demo/src (released): expected differs, now agrees",
    ]
    same = expected_file(tmp_path / "same.csv", ("demo/base", "released", "agrees"), ("demo/src", "released", "agrees"))
    assert check_expected(released, same) == []


def test_check_expected_refuses_a_bad_file_or_frame(table: pd.DataFrame, tmp_path: Path) -> None:
    frame = verdicts({"demo/base": [20]}, table=table)
    path = expected_file(tmp_path / "expected.csv", ("demo/base", "released", "agree"))
    with pytest.raises(ValueError, match=r"expected\.csv, line 2, column verdict: 'agree' is not one of agrees"):
        check_expected(frame, path)
    path = expected_file(tmp_path / "expected.csv", *[("demo/base", "released", "agrees")] * 2)
    with pytest.raises(ValueError, match=r"line 3, column id: demo/base released stands there twice"):
        check_expected(frame, path)
    path = expected_file(tmp_path / "expected.csv", ("demo/base", "released", "agrees"))
    with pytest.raises(ValueError, match="an id twice under one protocol"):
        check_expected(pd.concat([frame, frame]), path)


# Drawing


def test_styled_draws_every_verdict_with_mark_and_word(table: pd.DataFrame) -> None:
    runs = {"demo/src": [10, 11], "demo/base": [20.0], "demo/owm": [30.0]}
    described = verdicts({"demo/src": [80]}, "de<scribed", table)
    frame = pd.concat([verdicts(runs | {"demo/base": [20, 20.2]}, table=table), described])
    frame["label"] = frame["id"].replace("demo/src", "SRC & sleep")
    text = styled(frame, caption="Demo <1>")
    assert all(f"<td>{mark} {word}</td>" in text for word, mark in MARKS.items())
    assert len(set(MARKS.values())) == len(MARKS)
    assert "<caption>Demo &lt;1&gt;</caption>" in text
    assert '<th scope="row">SRC &amp; sleep</th>' in text
    assert "<td>de&lt;scribed</td>" in text
    assert text.count("<td>not available</td>") == 1  # published, of the row without a value
    assert text.count("<td>–</td>") == 1  # its difference
    assert "nan" not in text
    assert not re.search(r"colou?r|background|#[0-9a-f]{3}", text)
    assert text == styled(frame, caption="Demo <1>")


def test_styled_cells(table: pd.DataFrame) -> None:
    text = styled(verdicts({"demo/src": [46, 50, 54], "demo/base": [20.0]}, table=table))
    assert re.findall(r'<th scope="col">(.*?)</th>', text) == [
        "value", "published", "reproduced (n)", "difference", "verdict",
    ]  # fmt: skip
    assert re.findall(r"<td>(.*?)</td>", text) == [
        "50 ± 5", "50.00 ± 4.00 (3)", "+0.00", "✓ agrees",
        "20 ± 0.2", "20.00 (1)", "+0.00", "✓ agrees",
    ]  # fmt: skip
    small = verdicts({"text/mnist_two_tasks/src/firing/layer1/p": [0.0123]})
    assert re.findall(r"<td>(.*?)</td>", styled(small)) == [
        "0.004", "0.012 (1)", "+0.0083", "≠ differs",
    ]  # fmt: skip
    assert html.escape(judging.CAPTION, quote=False) in text
    key = "text/mnist_two_tasks/src/input_change/layer2/task1"
    claimed = verdicts({key: [-0.1, -0.2, -0.15]}, claims={key: "> 0"})
    assert re.findall(r"<td>(.*?)</td>", styled(claimed)) == [
        "&gt; 0", "-0.15 ± 0.05 (3)", "–", "⇅ opposite",
    ]  # fmt: skip


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
