# %% [markdown]
# # Figure 2: recovery after every sleep
#
# **Claim.** A network learns ten classes as five tasks of two, on MNIST 0/1, 2/3, 4/5, 6/7, 8/9, and sleeps after each.
# Every training wins the new task and loses the old ones; every sleep brings old ones back {cite}`tadros2022`.
#
# The accuracy of a task is the fraction of its test images that are recognised among all ten classes,
#
# ```{math}
# :label: eq-accuracy
# a_k = \frac{1}{|D_k|} \sum_{(x, y) \in D_k} \left[\, \arg\max_c f_c(x) = y \,\right]
# ```
#
# with $D_k$ the test images of task $k$. Chance is 10 %.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures
from srclib.verdicts import published, statistics

page = pages.open("fig2_recovery", profile=profile, protocol=protocol, seeds=seeds)
records = page.records.of("mnist")
phases = summary.phases(records["src"])


# %% tags=["hide-input"]
def heat_maps(records):
    """Draw the accuracies of every data set, one map above the other."""
    _, axes = plt.subplots(
        len(records.datasets), 1, figsize=(7.2, 3.5 * len(records.datasets)), squeeze=False, layout="constrained"
    )
    for ax, dataset in zip(axes[:, 0], records.datasets, strict=True):
        figures.task_heatmap(ax, summary.phases(records[dataset, "src"]))
        ax.set(title=figures.DATASETS[dataset])
    ax.set(xlabel="phase: training (T) or sleep (S)")
    plt.show()


# %% [markdown]
# ## Every task after every phase

# %% tags=["hide-input"] mystnb={"image": {"alt": "Heat maps of accuracies on MNIST and Fashion-MNIST, five tasks by ten phases, T1 S1 T2 S2 up to T5 S5. After every training the newest task is near 95 percent or above and all older ones near zero. After every sleep older tasks come back, on MNIST to between an eighth and nearly all, on Fashion-MNIST to between a sixth and three fifths, at some cost to the newest one."}, "figure": {"caption": "Accuracy on the test images of every task after every training (T) and every sleep (S), mean ± standard error of the mean over networks, in percent. Tasks that were not yet learned are near zero.", "name": "fig-2"}}
heat_maps(page.records)

# %% [markdown]
# ## The same as curves
#
# What a sleep gives back is lost again in the next training, and is found again by the next sleep. The overall
# accuracy after the last sleep is the number that {doc}`Table 1 <table1_accuracy>` reports.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels over the ten phases. Above, one line per task: each task jumps to nearly 100 percent when it is trained, falls to near zero with every later training and rises again with every sleep. Below, the overall accuracy: near 20 percent after every training, 25 to 50 percent after every sleep; the value that would be possible if nothing were forgotten rises in steps of 20 percent to 100."}, "figure": {"caption": "Above: accuracy of every task; below: overall accuracy on all ten digits, with the share of the digits that have been learned so far (dotted), about the most that can be reached. Sleep phases are shaded. Error bars: standard error of the mean over networks.", "name": "fig-2-curves"}}
tasks = ["0/1", "2/3", "4/5", "6/7", "8/9"] if protocol == "released" else [f"{k}" for k in range(1, 6)]
fig, (top, bottom) = plt.subplots(2, 1, figsize=(7.2, 5.2), sharex=True, height_ratios=[3, 2], layout="constrained")
for k, (task, color) in enumerate(zip(tasks, figures.TASKS, strict=True)):
    style = {"color": color, "marker": "os^Dv"[k], "ms": 5, "label": task}
    figures.mean_line(top, phases.query("tested == @k and task >= @k"), "phase", "accuracy", **style)
figures.mean_line(bottom, phases.query("tested == 0"), "phase", "overall", color="k", marker="o", ms=5)
seen = 100 * (phases.groupby("phase").task.first() + 1) / len(tasks)
bottom.step(seen.index, seen, where="mid", color="0.5", ls=":")
for ax in (top, bottom):
    ax.set(ylim=(-3, 103), ylabel="accuracy (%)")
    figures.shade_sleeps(ax, phases)
bottom.set(xlabel="phase: training (T) or sleep (S)", ylabel="overall (%)")
top.legend(title="task", ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1))
plt.show()

# %% [markdown]
# ## Which images the sleep knows
#
# All that a sleep knows of the past is the mean of every input and the largest activation of every layer. The paper
# takes them over the inputs seen in training. The released code trains on the first 5,000 images of a task but takes
# mean and maximum over all images of its classes, about 12,000, most of them never trained on. Does that help it?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Overall accuracy over the ten phases for two variants of the sleep, one with statistics of all images of the classes seen and one with those of the images trained on. The curves coincide up to the third training and after every later one; after the last three sleeps that with all images is about five points higher."}, "figure": {"caption": "Overall accuracy with mean input and layer scales taken over all images of the classes seen (released code) and over the images trained on only (paper). Error bars: standard error of the mean over networks. Dashed: the published final accuracy.", "name": "fig-2-statistics"}}
labels = {"src": "all images of the classes seen", "src/trained_statistics": "images trained on"}
fig, ax = plt.subplots(figsize=(7.2, 3), layout="constrained")
for run, color, marker in zip(records, ("k", figures.COLORS["sleep"]), "oD", strict=False):
    data = summary.phases(records[run]).query("tested == 0")
    figures.mean_line(ax, data, "phase", "overall", color=color, marker=marker, ms=5, label=labels[run])
theirs = published.load().loc["table1/mnist/src", "value"]
ax.axhline(theirs, color=figures.COLORS["published"], ls="--", label="published")
ax.set(xlabel="phase: training (T) or sleep (S)", ylabel="overall accuracy (%)", ylim=(0, 60))
names = figures.phase_names(phases)
ax.set_xticks(names.index, names)
ax.legend(loc="lower left")
plt.show()

# %% tags=["hide-input"]
if len(records) == 2 and len(records["src"]) > 1:
    ours, other = (summary.final(group) for group in records.values())
    test = statistics.welch(ours, other)
    display(
        Markdown(
            f"Final accuracy: {figures.spread(ours)} % with all images, {figures.spread(other)} % with the images "
            f"trained on (mean ± standard deviation, {len(ours)} networks each; Welch's t = {test['t']:.2f}, "
            f"p = {test['p']:.2f}). Networks that differ in nothing but the seed are up to "
            f"{max(np.ptp(ours), np.ptp(other)):.0f} points apart."
        )
    )

# %% [markdown]
# ## The same by the other protocol
#
# The paper's text, `described`, has another loss, ten epochs, every image of a task and the plain rule of Algorithm 1; its
# sleep parameters were found by a search on training images ({func}`srclib.search.conduct.conduct`). Every network has its own
# order of the tasks. After the first task nothing can have been forgotten, and the search leaves that sleep out.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Heat maps of accuracies under the other protocol, five tasks in the order they are learned by the phases of training and sleep. The pattern is the same: every training loses the older tasks and every sleep brings them back in part."}, "figure": {"caption": "As above, for the protocol that the page does not begin with: by default the paper's text. Task 1 is the one learned first.", "name": "fig-2-other"}}
heat_maps(page.other.records)

# %% [markdown]
# ## Published and reproduced
#
# The figure itself prints no numbers; the text gives one for the first two tasks.

# %% tags=["hide-input"]
page.verdicts("text/mnist_two_tasks/(sequential|src)$")

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("seeds 3")
