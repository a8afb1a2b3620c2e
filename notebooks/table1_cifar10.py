# %% [markdown]
# # Table 1: CIFAR-10
#
# **Claim.** A network learns ten kinds of photographs in five pairs, from the features that a convolutional network finds
# in them; without sleep it knows the last pair alone, and with a sleep after every pair it recognises 44.55 % of all
# test images {cite}`tadros2022`.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures, tables
from srclib.verdicts import published

page = pages.open("table1_cifar10", profile=profile, protocol=protocol, seeds=seeds)
records = page.records.by_run
with_text = page.other.records.by_run

# %% tags=["hide-input"]
labels = {
    "sequential": "Sequential",
    "ewc": "EWC",
    "si": "SI",
    "owm": "OWM",
    "src": "SRC, as released",
    "src/all_statistics": "SRC, statistics of all tasks",
    "rehearsal": "Rehearsal 0.75 %",
    "src+rehearsal": "SRC + Rehearsal 0.75 %",
    "parallel": "Parallel",
}
in_the_text = {run: label.partition(",")[0] for run, label in labels.items() if "/" not in run}
if protocol == "described":
    labels = in_the_text
values = published.load()


def by_task(records, labels):
    """Return a table of the final accuracy on every task, in the order of learning, and on all."""
    rows = {labels[run]: tables.ends(records[run], "12345", "all") for run in labels if run in records}
    return tables.plain(rows, empty=tables.ABSENT, label="Accuracy task by task")


def printed(run):
    """Return a published value as text."""
    return f"{values.loc[f'table1/cifar10/{run}', 'value']:g}"


def ends(run, records=records):
    """Return the final accuracy of a run as text."""
    return figures.spread(summary.final(records.get(run, [])))


def change(run, control, records=records):
    """Return the mean difference of two runs with its interval as text."""
    return figures.change(*(summary.final(records.get(name, [])) for name in (run, control)))


# %% tags=["hide-input"]
page.answer(
    {43: "differs", "table1/cifar10/src effect": "confirmed", 45: "differs"},
    f"Sleep brings old classes back: SRC as released ends {change('src', 'sequential')} points above sequential training "
    f"(95 % interval). It ends at {ends('src')} %, below the published {printed('src')} %. With the statistics of all "
    f"tasks, which a slip of the script leaves out, it ends {change('src/all_statistics', 'src')} points higher, at "
    f"{ends('src/all_statistics')} %. SRC with rehearsal stays far "
    "below what was published. The features are not the authors'.",
)

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(7.2, 0.34 * len(labels) + 0.9), layout="constrained")
for row, run in enumerate(labels):
    color = figures.COLORS["sleep"] if run.startswith("src") else figures.COLORS["task 1"]
    figures.dots(ax, row + 0.1, summary.final(records.get(run, [])), color)
    if f"table1/cifar10/{run}" in values.index:
        figures.published(ax, row - 0.2, values.loc[f"table1/cifar10/{run}"])
figures.name_rows(ax, labels.values())
ax.set(xlabel="final accuracy (%)", xlim=(0, 102))
ax.grid(axis="x", color="0.92")
figures.show(
    fig,
    "fig-cifar10",
    caption="Final accuracy over all test images, one dot per network, each with its own task order, beside the published "
    "mean ± standard deviation (grey squares) where it could be read.",
    alt="Accuracy over all test images, one dot per network, in percent: "
    + "; ".join(f"{labels[run]} {ends(run)}" for run in labels if run in records),
)

# %% [markdown]
# **The features are not the authors'.** Theirs are not in the release. Ours come from a backbone of the same layers,
# trained on the same images of Tiny ImageNet in a few minutes; its accuracy stands in its card
# (`data/backbones`). How good the authors' backbone is, is not published. A difference between a published number and
# ours may come from the features alone.
#
# One thing in the released script was hardly meant: the mean input and the layer scales of **every** sleep are those of
# the first task. *Statistics of all tasks* has them as in the other scripts, over all tasks learned so far.
#
# ## Published and reproduced

# %% tags=["hide-input"]
page.verdicts("table1/cifar10/")

# %% [markdown]
# ## Task by task

# %% tags=["hide-input"]
by_task(records, labels)

# %% [markdown]
# Accuracy in percent on the tasks in the order in which they were learned, mean ± standard deviation over networks. Which
# classes these are differs from network to network.
#
# ## What it means

# %% tags=["hide-input"]
pages.say(f"""
**Sleep brings forgotten classes back.** Without sleep every network ends with the last pair alone; with sleeps all five are
there, if not evenly. As on MNIST, no old image and no label takes part.

**The slip costs accuracy.** With the mean input and the scales of all tasks in place of those of the first one, networks
end {change("src/all_statistics", "src")} points higher, at {ends("src/all_statistics")} %. Published are {printed("src")} %;
the released sleep parameters stay as they are.

**The features are not what is missing.** Parallel training on them ends at {ends("parallel")} %, above the published
{printed("parallel")} %. So where a published number is not reached here, poorer features do not explain it.

**SRC with rehearsal is not reproduced.** The released rehearsal script trains for two epochs on 5,000 images of a task, and
0.75 % of the old ones, a fraction that its sweep does not have, are 100 to 300 images. On their own they change sequential
training by {change("rehearsal", "sequential")} points. With the sleep that the sweep has for 1 % the network ends
at {ends("src+rehearsal")} %, which differs by {change("src+rehearsal", "src")} points from SRC alone: undecided. Published
are {printed("src+rehearsal")} %; {{doc}}`fig3_rehearsal` has larger fractions of old images.

**The other methods.** EWC and SI have the settings that were found on MNIST, and end at {ends("ewc")} and {ends("si")} %.
OWM, also with settings found on MNIST, ends {change("owm", "src")} points above SRC as released and
{change("owm", "src/all_statistics")} above SRC without the slip. The paper has it slightly above SRC on most tasks; its
value for CIFAR-10 is not available.
""") if protocol == "released" else pages.say("The slip is that of the released script.")

# %% [markdown]
# ## The paper's text
#
# Under `described` ({doc}`../book/protocols`) a network learns each task for ten epochs by cross-entropy, rehearsal has the
# weighted loss, and sleep is Algorithm 1 as printed: no gate, no leak, the whole mean image, the statistics of all tasks.
# The text gives no parameters of the sleeps; they come from {doc}`a search of our own <searches>` on three other networks
# and held-out training images. EWC and SI have settings that were not searched, OWM that of its authors.

# %% tags=["hide-input"]
page.other.verdicts("table1/cifar10/")

# %% tags=["hide-input"]
by_task(with_text, in_the_text if page.other.protocol == "described" else labels)

# %% tags=["hide-input"]
pages.say(f"""
**Algorithm 1 as printed is enough.** Without the gate, the leak and the slip, which all belong to the release, SRC ends at
{ends("src", with_text)} %, above the published value. From rehearsing 0.75 % of the old images with the weighted loss it
differs by {change("src", "rehearsal", with_text)} points. The best sleeps were searched on these features; the authors' are
not available.

**Sleep and rehearsal add up.** With a sleep beside it that was searched there, 0.75 % of the old images bring
{ends("src+rehearsal", with_text)} %: {change("src+rehearsal", "rehearsal", with_text)} points more than without the sleep,
and {change("src+rehearsal", "src", with_text)} more than sleep alone. Published are {printed("src+rehearsal")} %. From OWM it
differs by {change("src+rehearsal", "owm", with_text)} points: undecided. {{doc}}`fig3_rehearsal` has what a sleep adds to
rehearsal on the other data sets.

**The features are better than the authors', or the training is.** Parallel training ends at {ends("parallel", with_text)} %,
above its published value. OWM at its authors' setting keeps {ends("owm", with_text)} %,
{change("owm", "src", with_text)} points more than SRC, without an old image and without a search. EWC ends at
{ends("ewc", with_text)} %; of SI, at the strength that the code of the paper's reference has, {ends("si", with_text)}.
""") if page.other.protocol == "described" else pages.say(
    "What the text gives stands above, as the page's own protocol."
)

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("seeds 2")

# %% [markdown]
# It needs CIFAR-10, which the project may not hold: `python -m srclib data prepare cifar10` downloads it and computes the
# features. Without, the page shows what is stored, and says what it skipped.
