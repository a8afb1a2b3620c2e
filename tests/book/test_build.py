"""What the build does with an executed notebook before the book is made of it."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat import NotebookNode, v4

from book.build import captioned
from srclib.pages.figures import CAPTIONED

LINKS = '<p class="figure-links"><a href="data:,">data (CSV)</a></p>'


def output(kind: str, content: str, name: str = "", **more: Any) -> NotebookNode:
    """Return an output of a cell, of a figure with its caption if it has a name."""
    told = {CAPTIONED: {"name": name, "caption": f"Caption of {name}.", "alt": f"What {name} shows."} | more}
    metadata = {kind: told} if name else {}
    return v4.new_output("display_data", data={kind: content}, metadata=metadata)


def notebook(*outputs: NotebookNode) -> NotebookNode:
    return v4.new_notebook(cells=[v4.new_markdown_cell("Before."), v4.new_code_cell("show()", outputs=list(outputs))])


@pytest.mark.parametrize("kind", ["image/svg+xml", "image/png"])
def test_a_figure_gets_its_caption(kind: str) -> None:
    page = notebook(output(kind, "a picture", "fig-x"), output("text/html", LINKS))
    captioned(page)
    before, cell, links = page.cells
    assert before.source == "Before."
    assert cell.metadata["mystnb"] == {
        "image": {"alt": "What fig-x shows."},
        "figure": {"caption": "Caption of fig-x.", "name": "fig-x"},
    }
    assert [list(each["data"]) for each in cell.outputs] == [[kind]]  # no output but the figure gets the caption
    assert (links.cell_type, links.source) == ("markdown", LINKS)


def test_other_outputs_stay_where_they_are() -> None:
    page = notebook(output("text/html", "<table></table>"), output("text/markdown", "It ends."))
    captioned(page)
    assert len(page.cells) == 2
    assert "mystnb" not in page.cells[1].metadata
    assert len(page.cells[1].outputs) == 2


def test_two_figures_of_one_cell_are_refused() -> None:
    page = notebook(output("image/png", "", "fig-x"), output("image/png", "", "fig-y"))
    with pytest.raises(ValueError, match="the figures fig-x, fig-y: allowed is one for each cell"):
        captioned(page)
