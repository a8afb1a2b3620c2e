# %% [markdown]
# # Table 1: CUB-200
#
# **Claim.** A network that learned 100 kinds of birds and then 100 others recognises 5 % of the first and 95 % of the
# second; with sleep 63.2 % and 45.4 % {cite}`tadros2022`.

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


def at(run, split, task, kind="end"):
    """Return the accuracy on a task (0 or 1; None: both) in the end or before the last sleep, one of every network."""
    found = (
        accuracies(run, split) if run in records else pd.DataFrame(columns=["phase", "tested", "accuracy", "overall"])
    )
    last = found.phase.max() - (1 if kind == "before" else 0)
    chosen = found[found.phase.eq(last) & found.tested.eq(task or 0)]
    return list(chosen.overall if task is None else chosen.accuracy)


def ends(run, split, task=None, kind="end"):
    """Return the same as text."""
    return figures.spread(at(run, split, task, kind))


def slept(run, split, task=None):
    """Return what the last sleep changes, with its interval, as text."""
    return figures.change(at(run, split, task), at(run, split, task, "before"))


def printed(key):
    """Return a published value as text."""
    return f"{values.loc[f'table1/cub200/{key}', 'value']:g}"


# %% tags=["hide-input"]
page.answer(
    {51: "differs", "text/cub200/src/task1 effect": "confirmed", "text/cub200/src/task2 effect": "confirmed"},
    "On 50 of the 200 classes and other embeddings, the released sleep does what is claimed: on test images it changes the "
    f"first task by {slept('src', 'test', 0)} points and the second by {slept('src', 'test', 1)}. The control learns "
    "at ten times the learning rate; after such a training the same sleep changes the first task by "
    f"{slept('src/same_rate', 'test', 0)} points.",
)

# %% tags=["hide-input"]
phases = [f"{kind} {task}" for task in (1, 2) for kind in ("training", "sleep")]
shown = dict.fromkeys(("sequential", "src", "src/same_rate", "src/first_sleep"), phases)
shown |= {"parallel": ["", "", "training", ""]}  # of both tasks at once
fig, axes = plt.subplots(len(shown), 2, figsize=(7.4, 1.5 * len(shown) + 0.4), sharey=True, layout="constrained")
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
figures.show(
    fig,
    "fig-cub",
    caption="Accuracy on task 1 (blue) and task 2 (orange) after each phase, tested on training images (left) and on test "
    "images (right): a thin line for every network, dots and bars for mean ± standard deviation. Grey squares: published "
    "for 200 classes, the same in both columns, with the colour of the task in the middle.",
    alt="Accuracy in the end on training images, task 1 and task 2, in percent. "
    + "; ".join(f"{labels[run]}: {ends(run, 'train', 0)} and {ends(run, 'train', 1)}" for run in shown).replace(
        "\n", " "
    ),
)

# %% [markdown]
# **This page is computed on 50 of the 200 classes.** The paper has two tasks of 100 kinds of birds each, embedded by a
# ResNet-50. Its images may not be passed on and could not be downloaded here. What was at hand is `cub50`: the first 50
# classes in two tasks of 25, with 30 training images a class as in the whole, embedded by another network, an
# EfficientNet-Lite2. That is an easier task on other embeddings, so a difference between a published number and ours may
# come from the data alone. What the page shows is what the released script does with such data.
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
#
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

# %% tags=["hide-input"]
pages.say(f"""
**They are accuracies on training images.** The script loads the training file where it says test file. That shows in the
published values themselves: sequential training has {printed("sequential/task2")} % for the second task. Here it has
{ends("sequential", "train", 1)} % on the images that it learned and {ends("sequential", "test", 1)} % on others, although it
tells 50 kinds apart and not 200. Parallel training is published with {printed("parallel/task1")} and
{printed("parallel/task2")} %; here it has {ends("parallel", "train", 0)} and {ends("parallel", "train", 1)} % on training
images, {ends("parallel", "test", 0)} and {ends("parallel", "test", 1)} % on test images. Among 200 kinds one expects a lower
accuracy than among 50, on test images as well.

**The control is not the same network.** It learns its second task at the learning rate 0.1, the network that will sleep at
0.01. Before any sleep, that one knows {ends("src", "train", 0, "before")} % of the first task in place of
{ends("sequential", "train", 0)} %, and {ends("src", "train", 1, "before")} % of the second in place of
{ends("sequential", "train", 1)} % (training images). On the test images of both tasks together the two differ by
{figures.change(at("src", "test", None, "before"), at("sequential", "test", None))} points: what it keeps of one task it
does not learn of the other.

**From there, the released sleep does what is claimed.** It changes the first task by {slept("src", "train", 0)} points on
training images and by {slept("src", "test", 0)} on test images, the second by {slept("src", "train", 1)} and
{slept("src", "test", 1)}. Both together change by {slept("src", "train")} points on training images and
{slept("src", "test")} on test images. The parameters are the authors', made for other embeddings and four times as many
classes.

**It does so in this setting alone.** After the training of the control, the same sleep changes the first task by
{slept("src/same_rate", "test", 0)} points and both together by {slept("src/same_rate", "test")} (test images). If the first
sleep is kept, as the text has it, the network knows {ends("src/first_sleep", "test", 0, "before")} % of the first task
after the training that follows, in place of {ends("src", "test", 0, "before")} %, but the second sleep then changes it by
{slept("src/first_sleep", "test", 0)} points only, and both together by {slept("src/first_sleep", "test")}. So the released
gain rests on a learning rate that only SRC has and on a sleep whose result is thrown away.

**Rehearsal adds nothing because there is none.** 0.75 % of the old images of CUB-200 are 22, and the script rounds them to
hundreds. Run as its script, SRC with rehearsal sees no old image. On test images it ends at {ends("src+rehearsal", None)} %,
SRC at {ends("src", "test")} %. What is published for it, {printed("src+rehearsal/task1")} and
{printed("src+rehearsal/task2")} %, is then SRC, too. It is lower than that of SRC, presumably because the script with
rehearsal loads the true test file; here, SRC ends at {ends("src", "train")} % of both tasks on training images. Which task
comes out higher differs from the published values.

**Steps, not epochs.** The networks take as many steps of training as in the script. 50 epochs of a quarter of the images are
a quarter of the steps; so it is 207 epochs here. With 50, the second task is learned to
{ends("sequential/fifty_epochs", "train", 1)} %.
""")

# %% [markdown]
# ## The paper's text
#
# Softmax cross-entropy, all images of a task, weights that start twice as large, a task order drawn for every network,
# and test images. The sleep after the second task comes from {doc}`a search <searches>` on three other networks and
# held-out training images, of 494 different sleeps.

# %% tags=["hide-input"]
with_text = page.other.records.by_run


def last(run, task, before=0):
    """Return the accuracy on a task by the text in the end, or so many phases before, one of every network."""
    if run not in with_text:
        return []
    found = summary.phases(with_text[run])
    return list(found[found.phase.eq(found.phase.max() - before) & found.tested.eq(task)].accuracy)


def told(run, task):
    """Return what the last sleep changes by the text, as text."""
    return figures.change(last(run, task), last(run, task, 1))


tables.plain(
    {
        labels[run].partition(",")[0]: tables.ends(group, ["task 1", "task 2"], "both")
        for run, group in with_text.items()
    }
)

# %% [markdown]
# Accuracy in percent on test images, mean ± standard deviation over networks; task 1 is the one that was learned first.

# %% tags=["hide-input"]
pages.say(f"""
By the text, the sleep changes task 1 by {told("src", 0)} points and task 2 by {told("src", 1)}: the best of the search brings
nothing back. Sequential training reaches {figures.spread(last("sequential", 1))} % of the second task, in place of the
published {values.loc["text/cub200/sequential/task2", "value"]:g} %. The learning rate is that of the control, for both tasks;
after it the released sleep does little, too.
""")

# %% [markdown]
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
