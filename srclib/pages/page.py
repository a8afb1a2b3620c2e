"""A page: its parameters, checked before anything is computed, and the records, verdicts and provenance behind it."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from IPython.display import HTML, Markdown

from ..data import terminal
from ..experiments import compute, grid, summary
from ..experiments.records import Record
from ..experiments.store import Store
from ..verdicts import claims, reproduced
from . import figures, tables

BOTH = ("released", "described")
UNSAID = "full"  # the profile of a page that has none: verdicts rest on it, and runs may not be collected


class Parameter(NamedTuple):
    """A parameter of a page and whether it may be what it is."""

    given: object
    fits: bool
    allowed: str  # in words


def one_of(given: object, *choices: object) -> Parameter:
    """Allow one of some values, of the very type: 1 is not True."""
    fits = any(type(given) is type(choice) and given == choice for choice in choices)
    return Parameter(given, fits, f"one of {', '.join(map(str, choices))}")


def some_of(given: object, *choices: object) -> Parameter:
    """Allow a list of one or more of some values, each of them once."""
    listed = list(given) if isinstance(given, (list, tuple)) else []
    fits = bool(listed) and all(one_of(value, *choices).fits and listed.count(value) == 1 for value in listed)
    return Parameter(given, fits, f"a list of one or more of {', '.join(map(str, choices))}, each once")


def whole(given: object, least: int, most: int | None = None, *, optional: bool = False) -> Parameter:
    """Allow a whole number from `least` to `most` (None: without end); optional: None as well."""
    number = given if isinstance(given, int) and not isinstance(given, bool) else None
    fits = number is not None and number >= least and (most is None or number <= most)
    words = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
    return Parameter(given, fits or (optional and given is None), f"{words}, or None" if optional else words)


def rising(least: int, most: int, **given: object) -> dict[str, Parameter]:
    """Allow whole numbers from `least` to `most`, none less than the one before it."""
    found: dict[str, Parameter] = {}
    for name, value in given.items():
        found[name] = whole(value, least, most)
        if found[name].fits:
            assert isinstance(value, int)
            least = value
    return found


def settings(experiment: str, profile: object, protocol: object, **changes: Any) -> dict[str, Any]:
    """Return the settings of an experiment, for parameters that depend on them: those of `full` and `released` where
    there is no such profile or protocol, which `open` refuses.
    """
    known = (one_of(profile, *grid.PROFILES), one_of(protocol, *BOTH))
    names = [str(each.given) if each.fits else other for each, other in zip(known, ("full", "released"), strict=True)]
    return grid.settings(experiment, *names, **changes)


def file(given: object) -> Parameter:
    """Allow the path of a file that is there, or no path at all, ""."""
    fits = isinstance(given, str) and (not given or Path(given).is_file())
    return Parameter(given, fits, 'the path of a file, or ""')


class Records(dict[tuple[str, str], list[Record]]):
    """Records by data set and run (method and variant)."""

    @property
    def datasets(self) -> list[str]:
        """Return the data sets in the order of the experiments."""
        return list(dict.fromkeys(dataset for dataset, _ in self))

    def of(self, dataset: str) -> dict[str, list[Record]]:
        """Return the records of one data set by run; none if there are none of it."""
        return {run: group for (name, run), group in self.items() if name == dataset}

    @property
    def by_run(self) -> dict[str, list[Record]]:
        """Return the records by run, where they are all of one data set; ValueError if they are not."""
        if len(self.datasets) > 1:
            raise ValueError(f"by_run: the records are of {', '.join(self.datasets)}: allowed is one data set")
        return {run: group for (_, run), group in self.items()}

    def all(self) -> list[Record]:
        """Return every record."""
        return [record for group in self.values() for record in group]


@dataclass(frozen=True)
class Page:
    """A page under one protocol; see `open`."""

    name: str
    profile: str
    protocol: str
    seeds: int | None
    experiments: tuple[str, ...]
    store: Store
    collected: list[tuple[str, Record]] = field(default_factory=list, repr=False)  # with their protocols
    profiled: bool = True  # it was opened with a profile

    @cached_property
    def records(self) -> Records:
        """The records of the page's own experiments under its protocol; what is missing is computed."""
        return self.collect(*self.experiments)

    @cached_property
    def other(self) -> Page:
        """The page under the other one of the two published protocols."""
        (other,) = (name for name in BOTH if name != self.protocol)
        return self.under(other)

    def under(self, protocol: str) -> Page:
        """Return the page under a protocol; what it collects counts for the provenance of this one."""
        fields = (self.name, self.profile, protocol, self.seeds, self.experiments, self.store)
        return self if protocol == self.protocol else Page(*fields, self.collected, self.profiled)

    def collect(self, *experiments: str, only: Collection[str] | None = None, **changes: Any) -> Records:
        """Return the records of experiments by data set and run, as `compute.collect` does.

        only: the runs that the page shows; None: all. changes: of the experiments' settings. Raises ValueError where
        these leave no run of a data set, and for a page without a profile: it would be as `full` under all of them.
        """
        if not self.profiled:
            raise ValueError(f"{self.name} collects runs without a profile: allowed is pages.open(…, profile=profile)")
        found = Records()
        for experiment in experiments:
            changed = {"seeds": self.seeds} | changes
            records = compute.collect(experiment, self.profile, self.protocol, store=self.store, **changed)
            if not all(records.values()):
                raise ValueError(f"{changes} leaves no run of {experiment}: allowed is what leaves some")
            found |= {pair: group for pair, group in records.items() if only is None or pair[1] in only}
        self.collected.extend((self.protocol, record) for record in found.all())
        return found

    def judged(self, pattern: str = "", *, both: bool = False) -> pd.DataFrame:
        """Return the verdicts on the published values whose ids begin with a pattern (a regular expression).

        They rest on the committed runs of the profile `full`. both: by the other protocol, too.
        """
        views = (self, self.other) if both else (self,)
        return pd.concat([reproduced.table(self.store, view.protocol, pattern) for view in views])

    def verdicts(self, pattern: str = "", *, both: bool = False) -> HTML:
        """Return the table of the verdicts of `judged`."""
        return tables.verdicts(self.judged(pattern, both=both))

    def claims(self, *only: int, both: bool = False) -> pd.DataFrame:
        """Return the verdicts on claims of the paper, by their numbers; none named: on all of them."""
        views = (self, self.other) if both else (self,)
        return claims.frame([found for view in views for found in claims.judged(self.store, view.protocol, only)])

    def answer(self, rests_on: Mapping[int | str, str], text: str, *, protocol: str = "released") -> Markdown:
        """Return what the page says in short: a badge for every verdict that it rests on, then some sentences.

        rests_on: verdicts by the number of a claim, the id of a published value, or that and " effect". protocol: for
        which the sentences are written. Raises ValueError where a verdict under it is another one by now: the sentences
        are to be read again. Under the other protocol, and where the store lacks the runs, the badges speak alone.
        """
        found = _found(self, list(rests_on))
        known = {key: verdict for key, (verdict, _, _) in found.items() if verdict}
        written = protocol == self.protocol and self.profile == "full"
        for key, verdict in known.items():
            if written and verdict != rests_on[key]:
                raise ValueError(f"{self.name}: {key} = {verdict!r}: the sentences are written for {rests_on[key]!r}")
        badges = " ".join(tables.linked(verdict, *link) for verdict, *link in found.values() if verdict)
        told = text if protocol == self.protocol else f"The verdicts under `{self.protocol}`."
        return Markdown(f'<p class="answer">{badges}</p>\n\n{told}')

    def provenance(self, again: str = "", more: str = "") -> Markdown:
        """Return the foot of the page: where its numbers come from, and how to run it again.

        again: parameters for an example, such as "seeds 3", "" for no example. more: another sentence or two.
        """
        names = list(dict.fromkeys(protocol for protocol, _ in self.collected)) or [self.protocol]
        used = f"protocol{'s' * (len(names) > 1)} {' and '.join(f'`{name}`' for name in names)}"
        text = f"Profile `{self.profile}`, {used}. {summary.provenance(record for _, record in self.collected)} {more}"
        if again:
            command = f"nox -s notebook -- {self.name} -p {again}"
            text += f"\n\nTo run this page again with other parameters:\n\n```bash\n{command}\n```"
        return Markdown(text)


def say(text: str) -> Markdown:
    """Return sentences in the Markdown of the book (MyST), for those with numbers: f-strings over the records."""
    return Markdown(text)


def open(
    name: str,
    *,
    profile: object = ...,
    protocol: object = "released",
    seeds: object = None,
    experiments: str | Sequence[str] | None = None,
    **parameters: Parameter,
) -> Page:
    """Open a page: check its parameters, set the style of its figures, log to the page, and return what it rests on.

    name: of the notebook. profile: smoke, ci or full; a page that is opened without one collects no runs. protocol:
    released or described. seeds: the number of networks, None as the profile says. experiments: what the page shows;
    None: the experiment of its name, if there is one. parameters: those that the page has beside these, each as
    `one_of`, `some_of`, `whole`, `rising` or `file` describe it.

    Raises ValueError, before anything is computed, that names the parameter, what was given and what is allowed; so it
    does where the profile has no run by the protocol.
    """
    profiled = profile is not ...
    profile = profile if profiled else UNSAID
    described = {
        "profile": one_of(profile, *grid.PROFILES),
        "protocol": one_of(protocol, *BOTH),
        "seeds": whole(seeds, 1, optional=True),
    }
    for key, parameter in (described | parameters).items():
        if not parameter.fits:
            raise ValueError(f"{key} = {parameter.given!r}: allowed is {parameter.allowed}")
    if experiments is None:
        experiments = name if name in grid.experiments() else ()
    own = (experiments,) if isinstance(experiments, str) else tuple(experiments)
    filled = [known for known in grid.PROFILES if _has_runs(own, known, str(protocol))]
    if profile not in filled:
        raise ValueError(f"profile = {profile!r} has no run by {protocol!r}: allowed is {' or '.join(filled)}")
    if _checking.get():
        raise Checked(profiled)
    terminal.log_stages(sys.stdout)
    figures.use_style()
    return Page(
        name, str(profile), str(protocol), seeds if isinstance(seeds, int) else None, own, Store(), profiled=profiled
    )


class Checked(BaseException):
    """A page was opened with parameters that are right; `profiled`: with a profile."""

    def __init__(self, profiled: bool) -> None:
        self.profiled = profiled


_checking: ContextVar[bool] = ContextVar("_checking", default=False)


@contextmanager
def checking() -> Iterator[None]:
    """Let `open` raise `Checked` once the parameters are found right: nothing after it is run."""
    token = _checking.set(True)
    try:
        yield
    finally:
        _checking.reset(token)


def _found(page: Page, keys: Sequence[int | str]) -> dict[int | str, tuple[str, str, str]]:
    """Return the verdicts that a page has on claims, values and effects ("": none), a link to each, and its name."""
    numbers = [key for key in keys if isinstance(key, int)]
    ids = [key.partition(" ")[0] for key in keys if isinstance(key, str)]
    of_claims = claims.judged(page.store, page.protocol, numbers) if numbers else []
    claimed = {claim.number: claim for claim in of_claims}
    pattern = f"({'|'.join(map(re.escape, ids))})$"
    values = reproduced.reproduced(page.store, page.protocol, pattern) if ids else {}
    found: dict[int | str, tuple[str, str, str]] = {}
    for key in keys:
        if isinstance(key, int):
            claim = claimed[key]
            verdict = claim.verdict if claim.records else ""
            found[key] = (verdict, f"claims.html#claim-{key}", f"claim {key}: {claim.words}")
            continue
        value, _, effect = key.partition(" ")
        if value not in values:
            found[key] = ("", "", "")
            continue
        row = values[value].verdict
        anchor = f"{row.page}.html#{tables.anchor_of(value, page.protocol)}"
        name = row.label + (", effect" if effect else "")
        found[key] = (row.effect_verdict if effect else row.verdict, anchor, name)
    return found


def _has_runs(experiments: Sequence[str], profile: str, protocol: str) -> bool:
    settings = [grid.settings(experiment, profile, protocol) for experiment in experiments]
    return not settings or any(values["datasets"] and values["runs"] for values in settings)
