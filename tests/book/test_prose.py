"""No result is typed into prose: numbers in sentences, captions and text alternatives come from the store.

A sentence with a number of ours is an f-string over records, in a cell of code (`pages.say`, `page.answer`,
`figures.show`). What is left in plain text is looked through for what reads like a result. A paragraph that quotes what
the paper claims may have numbers, which then are published values.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import pytest

from srclib.experiments import dialect
from srclib.verdicts import published

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
TEXTS = sorted((ROOT / "book").glob("*.md"))
RULES = [ROOT / "srclib" / "verdicts" / name for name in ("claims.yaml", "reasons.yaml")]  # with sentences of pages

SAID = {"say", "answer", "show", "provenance"}  # calls whose texts a page shows
SENTENCES = {"reason", "shown", "untested"}  # fields of YAML that a page shows

DIGITS = r"[+−-]?\d[\d,]*(?:\.\d+)?"
SPELLED = (
    "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)"
)
UNIT = r"(?:%|per ?cent\b|(?:percentage )?points?\b)"
MOVES = (
    "reach(?:es|ed)?|end(?:s|ed)? at|start(?:s|ed)? at|stay(?:s|ed)? at|stands? at|f[ae]ll(?:s|en)? to|rises? to|"
    "rose to|drop(?:s|ped)? to|gain(?:s|ed)?|cost(?:s)?|adds?|added|los(?:es|t)|brings? back|brought back"
)
NEAR = "about|nearly|almost|only|some|around|up to|more than|over|under|below"
RESULTS = [
    re.compile(rf"{DIGITS}(?: (?:more|further))?[ \u00a0-]?{UNIT}", re.I),  # 48.3 %, 5 points
    re.compile(rf"\b{SPELLED}(?:[ -]{SPELLED})*(?: and a half| more| further)?[ -]{UNIT}", re.I),  # two points
    re.compile(rf"{DIGITS}\s?±\s?{DIGITS}"),  # 48.3 ± 2.2
    re.compile(rf"\b(?:{MOVES}) (?:(?:{NEAR}) )?{DIGITS}(?=[,.;:)]?(?:\s|$))(?! (?:to )?\w)", re.I),  # ends at 48.3.
]

# What may be typed, since it was chosen and not measured, each with its reason. A phrase frees what stands within it.
SETTINGS: dict[str, str] = {
    "0.75 %": "the fraction of old images that the paper rehearses",
    "10 % of the old images": "one of the fractions of Fig. 3",
    "sweep has for 1 %": "a fraction for which the released script has a sleep",
    "95 % interval": "the level of every interval",
    "3 points": "the margin of a value that agrees",
    "1 point": "within this an effect is none",
    "effect of 10 points": "the made-up networks behind what a verdict is worth",
    "One of 2 points": "the made-up networks behind what a verdict is worth",
    "0.5 to 10 % of MNIST": "the share of the images in another paper",
    "0.1 % leaks": "a constant of the released code",
    "Chance is 10 %": "one of ten classes",
}


def results(text: str) -> list[str]:
    """Return what reads like a result in a text, where no setting covers it."""
    plain = re.sub(r"\s+", " ", text.replace("\u00a0", " "))
    free = [(found.start(), found.end()) for phrase in SETTINGS for found in re.finditer(_phrase(phrase), plain, re.I)]
    found = {
        match.span()
        for pattern in RESULTS
        for match in pattern.finditer(plain)
        if not any(start <= match.start() and match.end() <= end for start, end in free)
    }
    return [plain[max(0, start - 40) : end + 20] for start, end in sorted(found)]


def _phrase(phrase: str) -> str:
    """Return the pattern of a phrase, or its plural, which begins and ends where a word or a number does."""
    return rf"(?<![\w.,])[+−±-]?{re.escape(phrase)}s?(?!\w)"


def prose(markdown: str) -> str:
    """Return a text in Markdown without its code, formulas and addresses."""
    markdown = re.sub(r"^(`{3,}|~{3,}).*?^\1", " ", markdown, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)", " ", markdown)


def unquoted(markdown: str) -> str:
    """Return a text in which published values, in paragraphs that quote the paper's claim, stand as "…"."""
    table = published.load()
    known = {*table["value"].dropna(), *table["sd"].dropna()}
    parts = re.split(r"(\n\s*\n)", markdown)
    return "".join(
        re.sub(DIGITS, lambda found: "…" if _number(found[0]) in known else found[0], part)
        if part.startswith("**Claim.**")
        else part
        for part in parts
    )


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def spoken(code: str) -> Iterator[str]:
    """Yield the texts in the calls of a cell that a page shows; a value that an f-string fills in stands as "…"."""
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAID):
            continue
        for argument in [*node.args, *(each.value for each in node.keywords)]:
            yield from _texts(argument)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def sentences(given: Any) -> Iterator[str]:
    """Yield the texts of all fields SENTENCES of plain data."""
    if isinstance(given, dict):
        for key, value in given.items():
            if key in SENTENCES and isinstance(value, str):
                yield value
            else:
                yield from sentences(value)
    elif isinstance(given, list):
        for value in given:
            yield from sentences(value)


@cache
def texts(path: Path) -> list[str]:
    """Return all prose of a notebook, a page or a file of sentences."""
    if path.suffix == ".md":
        return [prose(path.read_text())]
    if path.suffix == ".yaml":
        return list(sentences(dialect.read(path)))
    found = []
    for cell in jupytext.read(path, fmt="py:percent").cells:
        if cell.cell_type == "markdown":
            found.append(prose(unquoted(cell.source)))
        else:
            found += [prose(text) for text in spoken(cell.source)]
    return found


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", NOTEBOOKS + TEXTS + RULES, ids=name)
def test_no_result_is_typed(path: Path) -> None:
    assert [found for text in texts(path) for found in results(text)] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_figures_are_described_from_the_store(path: Path) -> None:
    cells = jupytext.read(path, fmt="py:percent").cells
    assert [cell.metadata["mystnb"] for cell in cells if "mystnb" in cell.metadata] == []  # figures.show says it


def test_every_setting_is_typed_somewhere() -> None:
    everything = " ".join(re.sub(r"\s+", " ", text) for path in NOTEBOOKS + TEXTS + RULES for text in texts(path))
    assert [phrase for phrase in SETTINGS if not re.search(_phrase(phrase), everything, re.I)] == []


@pytest.mark.parametrize(
    "text",
    [
        "The network with sleep reaches 48.3 ± 2.2 %.",
        "It costs two points.",
        "It costs two to five points at every fraction.",
        "Both gain twenty-six points.",
        "a loss of two and a half points",
        "The last sleep brings 26 to 42 %.",
        "58% of images, 58 percent of images",
        "it has 58\u00a0% of them",
        "a gain of 0.7 points",
        "a 5-point gain",
        "48.3 ± 2.2 over networks",
        "a change of −3.4 percentage points",
        "After five tasks the network ends at 48.3.",
        "it falls to about 19, and stays there",
        "of which\n10.75 % are left",  # no setting
        "| sleep | 48 % |",
    ],
)
def test_a_typed_result_is_found(text: str) -> None:
    assert results(prose(text))


@pytest.mark.parametrize(
    "text",
    [
        "Rehearsal of 0.75 % of the old images.",
        "The mean change with its 95 % interval.",
        "Changes in points, with their 95 % intervals.",
        "It lies within ±3 points of the published value.",
        "15,000 steps after the first task, 5,000 more after each further one",
        "Ten networks learn five tasks, each in two epochs.",
        "A page has three points of view.".replace("three points", "several points"),
        "Run `nox -s notebook -- x -p fraction 5 %`.",
        "```bash\necho 48.3 %\n```",
        "with probability $p = 5 %$ in a step",
    ],
)
def test_what_was_chosen_may_be_typed(text: str) -> None:
    assert results(prose(text)) == []


def test_a_claim_quotes_what_is_published() -> None:
    assert results(unquoted("**Claim.** Accuracy rises from 19.49 % to 48.47 %.")) == []
    assert results(unquoted("**Claim.** Accuracy rises from 19.49 % to 48.48 %."))
    assert results(unquoted("**Claim.** It rises.\n\nHere it rises to 48.47 %."))


def test_texts_of_a_cell() -> None:
    code = (
        'pages.say(f"It ends at {ends} %, of {len(x)} networks. It costs two points.")\n'
        'figures.show(fig, "fig-x", caption="Up to 48 %.", alt="From " + f"{low:.0f} to 19 percent." )\n'
        'ax.set_title("48 %")\n'
        'rows = {"Rehearsal 5 %": 1}\n'
    )
    found = [hit for text in spoken(code) for hit in results(text)]
    assert [re.sub(r".*?((two|48|19) \S+?)[.]?( .*)?$", r"\1", hit) for hit in found] == [
        "two points",
        "48 %",
        "19 percent",
    ]
