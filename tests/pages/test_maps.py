"""Maps of all verdicts: every mark says what it is and leads to where it is shown."""

from __future__ import annotations

import re

from srclib.pages import maps
from srclib.verdicts.judging import MARKS

from .judgements import claim, effect, frame, frame_of_claims, value


def rows(text: str) -> list[tuple[str, list[str]]]:
    """Return the name and the cells of every row of the body of a map."""
    _, _, below = text.partition("<tbody>")
    return [
        (re.findall(r"<th.*?>(.*?)</th>", row)[0], re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL))
        for row in re.findall(r"<tr>.*?</tr>", below, re.DOTALL)
    ]


def marks(cell: str) -> list[str]:
    """Return what the links of a cell show."""
    return re.findall(r"<a .*?>(.*?)</a>", cell)


def test_a_cell_has_the_marks_of_level_and_effect() -> None:
    judged = frame(
        value(verdict="differs", **effect(effect_verdict="reversed")),
        value("table1/mnist/owm", label="MNIST: OWM"),
        value("table1/cifar10/src", label="CIFAR-10: SRC", verdict="undecided", page="table1_cifar10"),
        value("table1/mnist/src", protocol="described"),
        value("text/mnist_two_tasks/src"),  # no cell of the table
    )
    text = maps.table1(judged).data
    (src, (mnist, mnist_described, cifar10, cifar10_described)), (owm, others) = rows(text)
    assert (src, owm) == ("SRC", "OWM")
    assert marks(mnist) == ["≠&thinsp;⇅"]
    assert 'href="table1_accuracy.html#row-released-table1-mnist-src"' in mnist
    assert 'aria-label="MNIST: SRC, released: level differs, effect reversed"' in mnist
    assert marks(mnist_described) == ["✓"]
    assert 'href="table1_accuracy.html#row-described-table1-mnist-src"' in mnist_described
    assert marks(cifar10) == ["?"]
    assert 'href="table1_cifar10.html#' in cifar10
    assert cifar10_described == ""
    assert [marks(cell) for cell in others] == [["✓"], [], [], []]
    assert "two_tasks" not in text
    assert re.findall(r'colspan="(\d)">(.*?)<', text) == [("2", "MNIST"), ("2", "CIFAR-10")]


def test_two_tasks_stand_in_one_cell() -> None:
    judged = frame(*(value(f"table1/cub200/src/task{k}", label=f"CUB-200: task {k}") for k in (1, 2)))
    ((_, (cell,)),) = rows(maps.table1(judged).data)
    assert re.findall(r'title="(.*?),', cell) == ["CUB-200: task 1", "CUB-200: task 2"]


def test_a_chip_for_every_claim() -> None:
    found = [
        claim(55, words='"Above", it says.'),
        claim(55, protocol="described", verdict="no effect"),
        claim(7, family="figure 1", verdict="undecided"),
    ]
    text = maps.chips(frame_of_claims(found)).data
    assert re.findall(r'<th scope="row">(.*?)</th>', text) == ["figure 1", "table 1"]  # by their first number
    assert re.findall(r'<a href="(.*?)" title="(.*?)" aria-label=".*?">(.*?)</a>', text) == [
        ("claims.html#claim-7", "claim 7: SRC is above sequential training. released: undecided", "7&thinsp;?"),
        (
            "claims.html#claim-55",
            "claim 55: &quot;Above&quot;, it says. released: confirmed, described: no effect",
            "55&thinsp;✓∅",
        ),
    ]


def test_every_mark_is_explained() -> None:
    told = maps.legend().data
    assert all(f"{mark} " in told and verdict in told for verdict, mark in MARKS.items())
    assert told.count("✓") == 1
