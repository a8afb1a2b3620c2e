# %% [markdown]
# # Table 1: CUB-200
#
# **This page is computed on 50 of the 200 classes.** The paper has two tasks of 100 kinds of birds each, embedded by a
# ResNet-50. Its images may not be passed on and could not be downloaded here. What was at hand is `cub50`: the first 50
# classes in two tasks of 25, with 30 training images a class as in the whole, embedded by another network, an
# EfficientNet-Lite2. That is an easier task on other embeddings, so a difference between a published number and ours may
# come from the data alone. What the page shows is what the released script does with such data.
#
# **Claim.** A network that learned 100 kinds of birds and then 100 others recognises 5 % of the first and 95 % of the
# second; with sleep 63.2 % and 45.4 % {cite}`tadros2022`.
#
# Four things in the released scripts bear on these numbers:
#
# | slip | what happens | without it |
# | --- | --- | --- |
# | the training file is loaded as test file | the accuracy is that on images that were learned | test images, beside them |
# | with SRC, the second task has a tenth of the learning rate of the control | it overwrites less of the first, asleep or not | *SRC, learning rate of the control* |
# | the result of the first sleep is not used | there is one sleep, after the second task | *SRC, first sleep kept* |
# | 0.75 % of the old images are rounded to hundreds | none is rehearsed: SRC with rehearsal is SRC, here on test images | – |
#
# The networks take as many steps of training as in the script. 50 epochs of a quarter of the images are a quarter of the
# steps; so it is 207 epochs here, and 50 are shown beside them.

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

page = pages.open("table1_cub", profile=profile, seeds=seeds)
records = page.records.by_run

# %% tags=["hide-input"]
labels = {
    "sequential": "Sequential",
    "src": "SRC, as released",
    "src/same_rate": "SRC, learning rate\nof the control",
    "src/first_sleep": "SRC, first sleep kept",
    "parallel": "Parallel",
    "sequential/fifty_epochs": "Sequential, 50 epochs",
}
images = {"train": "training images, as released", "test": "test images"}
values = published.load()


def accuracies(run, split):
    """Return the accuracies of a run on training or test images, a row per network, phase and task."""
    found = summary.phases(records[run], split)
    names = found.kind + " " + (found.task + 1).astype(str)
    return found.assign(name="training" if run == "parallel" else names)


# %% [markdown]
# ## Through training and sleep

# %% tags=["hide-input"] mystnb={"image": {"alt": "Five rows of two panels, training and test images, with the accuracy on both tasks by phase. Sequential: the first task is learned to 99 and 84 percent and falls to 1 percent when the second is learned to 99 and 76. SRC as released: the first task falls to 16 and 11 percent, the sleep lifts it to 52 and 39, and the second task falls from 71 to 60 and from 67 to 57. SRC with the learning rate of the control: as sequential, and the sleep changes nothing. SRC with the first sleep kept: the first task ends at 33 and 24 percent. Parallel training: both tasks near 98 percent on training images, 80 and 73 on test images."}, "figure": {"caption": "Accuracy on task 1 (blue) and task 2 (orange) after each phase, tested on training images (left) and on test images (right): a thin line for every network, dots and bars for mean ± standard deviation. Grey squares: published for 200 classes, the same in both columns, with the colour of the task in the middle.", "name": "fig-cub"}}
phases = [f"{kind} {task}" for task in (1, 2) for kind in ("training", "sleep")]
shown = dict.fromkeys(("sequential", "src", "src/same_rate", "src/first_sleep"), phases)
shown |= {"parallel": ["", "", "training", ""]}  # of both tasks at once
fig, axes = plt.subplots(len(shown), 2, figsize=(7.4, 1.7 * len(shown) + 0.4), sharey=True, layout="constrained")
for row, (run, names) in zip(axes, shown.items(), strict=True):
    for ax, (split, title) in zip(row, images.items(), strict=True):
        found = accuracies(run, split) if run in records else pd.DataFrame(columns=["tested"])
        for task, group in found.groupby("tested"):
            color = figures.COLORS[f"task {task + 1}"]
            table = group.pivot(index="phase", columns="seed", values="accuracy")
            x = [names.index(name) for name in group.drop_duplicates("phase").name]
            ax.plot(x, table, color=color, lw=0.7, alpha=0.35)
            sd = table.std(axis=1).fillna(0)
            ax.errorbar(x, table.mean(axis=1), sd, fmt="o-", color=color, ms=5, capsize=3, label=f"task {task + 1}")
            if (key := f"table1/cub200/{run}/task{task + 1}") in values.index:
                published_at = x[-1] + 0.35
                ax.plot(published_at, values.loc[key, "value"], "s", color=figures.COLORS["published"], ms=7)
                ax.plot(published_at, values.loc[key, "value"], "s", color=color, ms=3)
        ax.set(xlim=(-0.3, 3.6), ylim=(-4, 104), title=title if run == "sequential" else "")
        ax.set_xticks(
            range(4), [name.replace(" ", "\n") for name in names] if run in ("parallel", list(shown)[-2]) else []
        )
        ax.grid(axis="y", color="0.92")
    row[0].set_ylabel(f"{labels[run]}\naccuracy (%)", fontsize=9)
axes[-1, 0].legend(*axes[0, 0].get_legend_handles_labels(), loc="lower left", fontsize=9)
plt.show()

# %% [markdown]
# ## Published and reproduced
#
# The rows of Table 1 are judged on the images that their script tests, those of the text on test images. Published: 200
# classes; reproduced: 50. On other data the numbers differ as a rule; what can agree is the pattern, that sequential
# training keeps next to nothing of the first task and that sleep brings both near to each other.

# %% tags=["hide-input"]
page.verdicts(".*/cub200/")

# %% [markdown]
# ## In the end

# %% tags=["hide-input"]
rows = {}
for run in [run for run in labels if run in records]:
    cells = {}
    for split, name in {"train": "training", "test": "test"}.items():
        cells |= tables.ends(records[run], [f"task 1, {name}", f"task 2, {name}"], f"both, {name}", split)
    rows[labels[run].replace("\n", " ")] = cells
tables.plain(rows)

# %% [markdown]
# Accuracy in percent on training and on test images, mean ± standard deviation over networks.
#
# ## What explains the published numbers
#
# **They are accuracies on training images.** The script loads the training file where it says test file. That shows in
# the published values themselves: sequential training has 95.41 % for the second task. Here it has 99 % on the images
# that it learned and 76 % on others, although it tells 50 kinds apart and not 200. The published 85 and 79 % of parallel
# training lie between what we find on test and on training images. Among 200 kinds one expects a lower accuracy than
# among 50, on test images as well.
#
# **The control is not the same network.** It learns its second task at the learning rate 0.1, the network that will sleep
# at 0.01. Before any sleep, that one knows 16 % of the first task in place of 1 %, and 71 % of the second in place of
# 99 % (training images). On the test images of both tasks together it is no better: what it keeps of one task it does
# not learn of the other.
#
# **From there, the released sleep does what is claimed.** It lifts the first task from 16 to 52 % on training images and
# from 11 to 39 % on test images, and takes 11 points from the second. Both together gain 12 points on training images
# and eight on test images, and end balanced as published. The parameters are the authors', made for other embeddings and
# four times as many classes.
#
# **It does so in this setting alone.** After the training of the control, the same sleep leaves the network as it was. If
# the first sleep is kept, as the text has it, the first task is forgotten less in the training that follows, but the
# second sleep then brings little back: the accuracy on the test images of both tasks stays where it is without any
# sleep. So the released gain rests on a learning rate that only SRC has and on a sleep whose result is thrown away.
#
# **Rehearsal adds nothing because there is none.** 0.75 % of the old images of CUB-200 are 22, and the script rounds them
# to hundreds. Run as its script, SRC with rehearsal sees no old image and ends where SRC does on test images. What is
# published for it, 56.55 and 38.05 %, is then SRC, too. It is lower than that of SRC, presumably because the script with
# rehearsal loads the true test file; here, too, SRC is lower on test images than on training images. Which task comes
# out higher differs from the published values.
#
# **Steps, not epochs.** With the 50 epochs of the script, which here are a quarter of its steps, the second task is
# learned to little more than half, as the last row of the table shows.
#
# ## The paper's text
#
# Softmax cross-entropy, all images of a task, weights that start twice as large, a task order drawn for every network,
# and test images. The sleep after the second task comes from {doc}`a search <searches>` on three other networks and
# held-out training images, of 494 different sleeps.

# %% tags=["hide-input"]
with_text = page.other.records.by_run
tables.plain(
    {
        labels[run].partition(",")[0]: tables.ends(group, ["task 1", "task 2"], "both")
        for run, group in with_text.items()
    }
)

# %% [markdown]
# Accuracy in percent on test images, mean ± standard deviation over networks; task 1 is the one that was learned first.
# Sequential training forgets all of it, as published, and reaches about 80 % of the second, not 95 %. **No sleep brings any
# of it back**: the best of the search leaves these networks where they are. That is what the released sleep does, too,
# after the training of the control, whose learning rate is the one for both tasks here.
#
# ## Provenance

# %% tags=["hide-input"]
page.provenance("profile ci")

# %% [markdown]
# It needs `cub50`, which the project may not hold and nobody distributes: `srclib/data/prepared.py` describes the file. For the
# whole of CUB-200-2011 with the embeddings of a ResNet-50, as the paper has it:
#
# ```bash
# python -m srclib data prepare cub200
# python -m srclib run table1_cub --set datasets "[cub200]"
# ```
