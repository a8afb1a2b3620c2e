# %% [markdown]
# # Table 1: CIFAR-10
#
# **Claim.** A network learns ten kinds of photographs in five pairs, from the features that a convolutional network finds
# in them; without sleep it knows the last pair alone, and with a sleep after every pair it recognises 44.55 % of all
# test images {cite}`tadros2022`.
#
# **The features are not the authors'.** Theirs are not in the release. Ours come from a backbone of the same layers,
# trained on the same images of Tiny ImageNet in a few minutes; it names 31.6 % of its validation images
# (`data/backbones`). How good the authors' backbone is, is not published. A difference between a published number and
# ours may come from the features alone.
#
# One thing in the released script was hardly meant: the mean input and the layer scales of **every** sleep are those of
# the first task. *Statistics of all tasks* has them as in the other scripts, over all tasks learned so far.

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
    return tables.plain(rows, empty=tables.ABSENT)


# %% [markdown]
# ## As released, and corrected

# %% tags=["hide-input"] mystnb={"image": {"alt": "Accuracy over all test images, one dot per network, for nine methods. Sequential training, EWC, SI and rehearsal lie at 18 percent, SRC as released between 32 and 45, SRC with the statistics of all tasks between 42 and 48, around the published 44.55, SRC with rehearsal between 31 and 39, far below its published 58.24, OWM between 49 and 59, and parallel training at 76, above its published 72.43."}, "figure": {"caption": "Final accuracy over all test images, one dot per network, each with its own task order, beside the published mean ± standard deviation (grey squares) where it could be read.", "name": "fig-cifar10"}}
fig, ax = plt.subplots(figsize=(7.2, 0.34 * len(labels) + 1), layout="constrained")
for row, run in enumerate(labels):
    color = figures.COLORS["sleep"] if run.startswith("src") else figures.COLORS["task 1"]
    figures.dots(ax, row + 0.1, summary.final(records.get(run, [])), color)
    if f"table1/cifar10/{run}" in values.index:
        figures.published(ax, row - 0.2, values.loc[f"table1/cifar10/{run}"])
figures.name_rows(ax, labels.values())
ax.set(xlabel="final accuracy (%)", xlim=(0, 102))
ax.grid(axis="x", color="0.92")
plt.show()

# %% [markdown]
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
#
# **Sleep brings forgotten classes back.** Before its last sleep every network knows the last pair alone. After it, all
# five are there again, if not evenly. As on MNIST, no old image and no label takes part.
#
# **The slip costs accuracy.** With the mean input and the scales of the first task alone, every network ends lower than
# with those of all tasks, by 2 to 11 points. Without the slip SRC ends at 44.1 ± 2.2 %, within a standard deviation of
# the published 44.55 ± 1.45 %, with the released sleep parameters as they are. As released it is lower; that value is
# judged to agree only because the networks differ so much from each other.
#
# **The features are not what is missing.** Parallel training on them ends above the published value. So where a
# published number is not reached here, poorer features do not explain it.
#
# **SRC with rehearsal is not reproduced.** The released rehearsal script trains for two epochs on 5,000 images of a task,
# and 0.75 % of the old ones, a fraction that its sweep does not have, are 100 to 300 images. They change nothing on their
# own. With the sleep that the sweep has for less than 1 % the network ends at 35 %, below SRC alone. The published 58.24 %
# is near what SRC with 10 % of the old images reaches here ({doc}`fig3_rehearsal`).
#
# **The other methods.** EWC and SI have the settings that were found on MNIST, and keep nothing. OWM, also with settings
# found on MNIST, ends fifteen points above SRC as released, ten above SRC without the slip. The paper has it slightly
# above SRC on most tasks; its value for CIFAR-10 is not available.

# %% [markdown]
# ## The paper's text
#
# Under `described` ({doc}`../book/protocols`) a network learns each task for ten epochs by cross-entropy, rehearsal has the
# weighted loss, and sleep is Algorithm 1 as printed: no gate, no leak, the whole mean image, the statistics of all tasks.
# The text gives no parameters of the sleeps; they come from {doc}`a search of our own <searches>` on three other networks
# and held-out training images. EWC and SI have settings that were not searched, OWM that of its authors.

# %% tags=["hide-input"]
with_text = page.other.records.by_run
page.other.verdicts("table1/cifar10/")

# %% tags=["hide-input"]
by_task(with_text, in_the_text if page.other.protocol == "described" else labels)

# %% [markdown]
# **Algorithm 1 as printed is enough.** Without the gate, the leak and the slip, which all belong to the release, SRC ends
# at 52.2 ± 2.3 %, above the published value and as high as rehearsing 0.75 % of the old images with the weighted loss does.
# The best sleeps were searched on these features; the authors' are not available.
#
# **Sleep and rehearsal add up.** With a sleep beside it that was searched there, 0.75 % of the old images bring 68.3 ± 1.4 %:
# sixteen points more than without the sleep, ten more than published, and a little more than OWM. By the text, a sleep
# adds about three points at most to rehearsal on any other data set ({doc}`fig3_rehearsal`).
#
# **The features are better than the authors', or the training is.** Parallel training ends nine points above its published
# value. OWM at its authors' setting keeps 66 %, thirteen points more than SRC, without an old image and without a search.
# EWC holds nothing, and SI diverges at the strength that the code of the paper's reference has.
#
# ## Provenance

# %% tags=["hide-input"]
page.provenance("seeds 2")

# %% [markdown]
# It needs CIFAR-10, which the project may not hold: `python -m srclib data prepare cifar10` downloads it and computes the
# features. Without, the page shows what is stored, and says what it skipped.
