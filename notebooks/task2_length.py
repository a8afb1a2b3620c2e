# %% [markdown]
# # How long may the second task be?
#
# **Claim.** A network learns two tasks, with a sleep after each. The longer it trains on the second one, the less of the
# first one the second sleep brings back, and the more of the second one it keeps: the release holds such a curve for
# CIFAR-10 {cite}`tadroscode`.
#
# That curve is the only file of results in the release, five settings of one trial each. It does not say how many epochs
# they are. Its script has others by now (1, 3, … 19 epochs, five trials); 1, 3, 5, 7 and 9 are a guess. The scripts for
# cross-modal MNIST (1 to 9 epochs) and for MNIST (5 to 40; 1 and 2 are added here) have no results. All of them train the
# first task for two epochs.
#
# The features of CIFAR-10 are those of our own backbone, not the authors' ({doc}`table1_cifar10`).

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures, tables
from srclib.verdicts import published

experiments = ["task2_length", "task2_length_mnist", "task2_length_cross_modal"]
page = pages.open("task2_length", profile=profile, seeds=seeds, experiments=experiments)
records = {dataset: group for (dataset, _), group in page.records.items()}
other = page.collect("task2_length_orders").all()  # pairs of tasks


# %% tags=["hide-input"]
tasks = ("task 1", "task 2", "both")
values = published.load()["value"]


def accuracies(group):
    """Return accuracies on either task and on both in percent: a row per epochs of task 2, when, task and network."""
    return pd.DataFrame(
        {
            "epochs": record["at"]["awake.epochs"][1],
            "when": when,
            "task": task,
            "seed": record["seed"],
            "accuracy": 100 * accuracy,
        }
        for record in group
        for when, phase in zip(("before", "after"), record["metrics"]["phases"][-2:], strict=True)
        for task, accuracy in zip(tasks, (*phase["accuracy"], phase["overall"]), strict=True)
    )


def table(group):
    """Return the accuracies before and after the second sleep, as text: a row per epochs of task 2."""
    data = accuracies(group)
    cells = data.groupby(["epochs", "when", "task"]).accuracy.apply(figures.spread).unstack(["when", "task"])
    return cells[[(when, task) for when in ("before", "after") for task in tasks]]


# %% [markdown]
# ## Accuracy on both tasks

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three panels of accuracy against the epochs of task 2. On CIFAR-10, before the second sleep, task 1 is at 0 from three epochs on and task 2 rises from 56 to 87 percent; after it task 1 falls from 92 to 56 and task 2 rises from 21 to 84 percent, crossing near 5 epochs, close to the released values except for task 2 at 3 epochs, 41 against 65. On MNIST task 1 after the sleep falls from 98 percent at one epoch to 29 at 40, task 2 rises from 21 to 97, and they cross at 5. On cross-modal MNIST task 1 stays between 24 and 34 percent before and after the sleep, task 2 is between 81 and 87 before it and between 65 and 83 after it."}, "figure": {"caption": "Accuracy on either task before (dashed) and after (solid) the second sleep, mean over five networks (cross-modal MNIST: three); error bars: standard error of the mean. Grey: the result file of the release, one trial; its epochs are a guess.", "name": "fig-task2-length"}}
fig, axes = plt.subplots(1, len(records), figsize=(10, 3.8), sharey=True, squeeze=False, layout="constrained")
for ax, (dataset, group) in zip(axes[0], records.items(), strict=True):
    data = accuracies(group)
    epochs = sorted(data.epochs.unique())
    for task, marker in (("task 1", "o"), ("task 2", "D")):
        style = {"color": figures.COLORS[task], "marker": marker, "ms": 5}
        for when, line in (("before", "--"), ("after", "-")):
            chosen = data[(data.task == task) & (data.when == when)]
            faint = {"alpha": 0.5} if when == "before" else {}
            figures.mean_line(
                ax, chosen, "epochs", "accuracy", ls=line, label=f"{task}, {when} the sleep", **style, **faint
            )
        if dataset == "cifar10":
            keys = [f"release/cifar10/src/setting{n}/task{task[-1]}" for n in range(1, 6)]
            grey = {"color": figures.COLORS["published"], "mfc": "none", "ms": 8, "ls": ":"}
            ax.plot((1, 3, 5, 7, 9), values[keys], marker=marker, label=f"{task}, released", **grey)
    ax.set(title=figures.DATASETS[dataset], xlabel="epochs of task 2", xscale="log", ylim=(-3, 103))
    ax.set_xticks(epochs, epochs)
    ax.minorticks_off()
    ax.grid(axis="y", color="0.92")
axes[0, 0].set_ylabel("accuracy (%)")
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
plt.show()

# %% tags=["hide-input"]
tables.plain(pd.concat({figures.DATASETS[dataset]: table(group) for dataset, group in records.items()}))

# %% [markdown]
# Accuracy in percent before and after the second sleep, mean ± standard deviation over networks.
#
# ## Published and reproduced
#
# On CIFAR-10, after the second sleep:

# %% tags=["hide-input"]
page.verdicts("release/cifar10/src/setting")

# %% [markdown]
# **The curve comes out again.** Nine of the ten values are reproduced within 4.2 points, the tenth is 23 points lower: task
# 2 after three epochs. Where a value within 4.2 points *differs*, our networks differ less among each other than that,
# and the release has one trial. That 1, 3, 5, 7 and 9 epochs fit so well supports the guess.
#
# **What the sleep trades.** On CIFAR-10 and MNIST task 1 is gone before the second sleep, once task 2 was trained for a few
# epochs. If these were few, the sleep brings nearly all of task 1 back, at the expense of task 2. After more of them it
# takes little from task 2 and brings back less of task 1. In between lies a length at which the network knows both tasks
# best: 5 epochs on CIFAR-10, 2 to 5 on MNIST. Table 1 trains every task for 4 and for 2. One set of sleep parameters
# suits one length of training.
#
# **Cross-modal MNIST** has no such trade, at any length. Its script has the slips of {doc}`table1_cross_modal`: both sleeps
# end after 255 steps, and the second one has the mean input and the scales of MNIST alone. The first sleep already costs
# the network a quarter of the digits, before there is anything to recover. The second one brings back up to four
# points of the digits and takes more than that from the clothes.
#
# ## Other pairs of tasks
#
# The release always takes the first two pairs of classes, airplanes and automobiles, then birds and cats. With two pairs
# drawn anew for every network the direction is the same, but how much comes back is another matter: after nine epochs
# 44 ± 25 % of the first task.

# %% tags=["hide-input"]
tables.plain(table(other) if other else [], empty=tables.ABSENT)

# %% [markdown]
# ## Which units fire

# %% tags=["hide-input"]
rows = []
for dataset, group in records.items():
    for (_, number), means in summary.last_sleeps(group, "awake.epochs").iterrows():
        row = {"data set": figures.DATASETS[dataset], "epochs of task 2": number}
        rows.append(row | tables.counts(means))
tables.plain(rows)

# %% [markdown]
# Spikes of all units of a layer in the second sleep, means over networks.
#
# ## Provenance

# %% tags=["hide-input"]
page.provenance("profile ci")

# %% [markdown]
# Its CIFAR-10 part needs `python -m srclib data prepare cifar10`, and is skipped without.
