# %% [markdown]
# # Table 2: sleep on top of iCaRL
#
# **Claim.** iCaRL {cite}`rebuffi2017` keeps $K$ well-chosen images of the old classes, the exemplars. With a sleep after
# every task it is more accurate at nearly every $K$, the more so the fewer exemplars it keeps; iCaRL + SRC with
# $K = 100$ is as good as iCaRL alone with $K = 200$ {cite}`tadros2022`.
#
# Of $t$ classes seen, each has $K / t$ exemplars, rounded to whole images as in the released code (of $K = 100$, six
# classes keep 102, eight 104, ten 100). They are chosen by herding: one after the other, the image that brings the mean
# feature $\varphi$ of the chosen ones nearest to that of the class. They are trained on along with every new task, with
# the present network's answers as their targets (distillation). iCaRL classifies an image by the nearest mean of
# exemplars,
#
# ```{math}
# :label: eq-nearest-mean
# y^*(x) = \operatorname*{argmin}_y \; \Bigl\lVert \varphi(x) - \frac{1}{|P_y|} \sum_{p \in P_y} \varphi(p) \Bigr\rVert ,
# ```
#
# with $\varphi$ the activity of the last hidden layer. It does not use the output units at all. The released code
# computes both answers and reports that of the **output units**, which iCaRL was made to replace. Here both are shown.
#
# CIFAR-10 is learned from features of our own backbone, which are not the authors' ({doc}`table1_cifar10`).

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures, tables
from srclib.verdicts import judging, published, reproduced, statistics

page = pages.open("table2_icarl", profile=profile, protocol=protocol, seeds=seeds)
records = page.records

# %% tags=["hide-input"]
heads = {"network": "output units, as released", "nearest_mean": "nearest mean of exemplars, as described"}
names = {
    "icarl": "iCaRL",
    "src+icarl": "iCaRL + SRC",
    "src+icarl/last_sleep": "iCaRL, one sleep in the end",
}
values = published.load()["value"]
styles = {
    "icarl": {"color": figures.COLORS["rehearsal"], "marker": "o"},
    "src+icarl": {"color": figures.COLORS["sleep"], "marker": "D"},
    "src+icarl/last_sleep": {"color": figures.COLORS["sleep"], "marker": "x", "ls": "--"},
}


def finals(dataset, run, head, records=records):
    """Return the final accuracy in percent, memories by networks."""
    return summary.finals(records[dataset, run], "icarl.memory", head=head)


def draw_finals(records):
    """Draw the final accuracies of all data sets against the number of exemplars, a column for each answer."""
    shape = {"figsize": (7.6, 3.2 * len(records.datasets)), "sharex": True, "sharey": True, "squeeze": False}
    fig, axes = plt.subplots(len(records.datasets), 2, **shape, layout="constrained")
    for row, dataset in zip(axes, records.datasets, strict=True):
        for ax, (head, title) in zip(row, heads.items(), strict=True):
            for run in [run for run in styles if (dataset, run) in records]:
                data = finals(dataset, run, head, records)
                figures.row_means(ax, data, label=names[run], **{"ms": 6} | styles[run])
                method = run.replace("src+icarl", "icarl+src")
                printed = values.reindex([f"table2/{dataset}/{method}/k{memory}" for memory in data.index])
                if printed.notna().any():
                    marker = {"marker": styles[run]["marker"], "mfc": "none", "color": figures.COLORS["published"]}
                    ax.plot(printed.to_numpy(), ls="", ms=8, **marker, label=f"{names[run]}, published")
            ax.set(title=f"{figures.DATASETS[dataset]}: {title.partition(',')[0]}", ylim=(0, 100))
            ax.set_xticks(range(len(data)), data.index)
            ax.grid(axis="y", color="0.92")
        row[0].set_ylabel("final accuracy (%)")
    for ax in axes[-1]:
        ax.set_xlabel("exemplars of all classes together, K")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    plt.show()


def gains(dataset, records=records, run="src+icarl"):
    """Yield, for each answer, its name and the gain by sleep in points, memories by networks."""
    for head, title in heads.items():
        without, with_sleep = finals(dataset, "icarl", head, records), finals(dataset, run, head, records)
        yield title.partition(",")[0], with_sleep - without


def table_of_gains(records):
    """Return the gains of all data sets, answers and numbers of exemplars."""
    rows = []
    for dataset, run in [pair for pair in records if pair[1] != "icarl"]:
        for answer, gain in gains(dataset, records, run):
            for memory, found in gain.iterrows():
                p = statistics.changed(found)["p"]
                rows.append(
                    {
                        "data set": figures.DATASETS[dataset],
                        "method": names[run],
                        "answer of": answer,
                        "K": memory,
                        "gain": figures.gain(found),
                        "better in": f"{(found > 0).sum()} of {len(found)}",
                        "p": f"{p:.2g}" if p == p else "–",
                    }
                )
    return tables.plain(rows, empty=tables.ABSENT)


def table_of_finals(records):
    """Return the mean accuracies of all data sets, answers and methods, a column for each number of exemplars."""
    rows = []
    for dataset in records.datasets:
        for head, title in heads.items():
            for run in [run for run in names if (dataset, run) in records]:
                means = finals(dataset, run, head, records).apply(figures.spread, axis=1)
                row = {"data set": figures.DATASETS[dataset], "answer of": title, "method": names[run]}
                rows.append(row | {f"K = {memory}": text for memory, text in means.items()})
    return tables.plain(rows, empty=tables.ABSENT)


# %% [markdown]
# ## Accuracy against the number of exemplars

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six panels of final accuracy against the number of exemplars, 50 to 2000, rows MNIST, Fashion-MNIST and CIFAR-10, left for the output units, right for the nearest mean of exemplars. On MNIST the output units of iCaRL rise from 28 to 91 percent, with sleep they have 68 at 50 exemplars, fall to 57 at 100 and rise to 91; the nearest mean rises from 56 to 93, with sleep from 71 to 93. The curves with sleep lie above those without up to 200 exemplars and meet them from 500 on. The published values at 100 and 200 lie above the curves of the output units and near those of the nearest mean. On Fashion-MNIST the output units rise from 24 to 72, with sleep from 38 to 77, the nearest mean from 50 to 76, with sleep from 58 to 77. On CIFAR-10 the output units rise from 20 to 64; with sleep they have 52 at 50 exemplars, fall to 33 at 200 and rise to 66. The nearest mean rises from 39 to 70, with sleep from 48 to 71."}, "figure": {"caption": "Final accuracy on all ten classes, mean over networks, each with its own task order; error bars: standard error of the mean. Grey: published values, where they could be read, in both columns: which answer they are of is a question below.", "name": "fig-table2"}}
draw_finals(records)

# %% tags=["hide-input"]
table_of_finals(records)

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks.
#
# ## What the sleep adds
#
# Both networks of a pair have the same initial weights and task order, and the same first task.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three panels, MNIST, Fashion-MNIST and CIFAR-10, of the gain in final accuracy by sleep against the number of exemplars, for the output units and the nearest mean. On MNIST the gain of the output units falls from about 40 points at 50 exemplars to zero at 500 and more, that of the nearest mean from about 15 points to zero. On Fashion-MNIST the gain of the output units is between 12 and 15 points up to 200 exemplars, near zero at 500 and 5 to 8 points above that; that of the nearest mean falls from 8 points to one. On CIFAR-10 the gain of the output units is about 30 points at 50 and 100 exemplars and 2 to 5 from 200 on, that of the nearest mean falls from 9 points to one; nearly all dots lie above zero."}, "figure": {"caption": "Final accuracy of iCaRL + SRC minus that of iCaRL, one dot per network; line: the mean. Above zero, sleep helps.", "name": "fig-table2-gain"}}
fig, axes = plt.subplots(1, len(records.datasets), figsize=(9.5, 3.2), sharey=True, squeeze=False, layout="constrained")
for ax, dataset in zip(axes[0], records.datasets, strict=True):
    for (answer, gain), color, marker in zip(gains(dataset), (figures.COLORS["sleep"], "0.4"), "Ds", strict=True):
        ax.plot(range(len(gain)), gain, marker, color=color, ms=4, alpha=0.5)
        ax.plot(range(len(gain)), gain.mean(axis=1), color=color, lw=1.5, label=answer)
    ax.axhline(0, color="k", lw=0.8)
    ax.set(title=figures.DATASETS[dataset], xlabel="exemplars, K")
    ax.set_xticks(range(len(gain)), gain.index)
axes[0, 0].set_ylabel("gain by sleep (points)")
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %% tags=["hide-input"]
table_of_gains(records)

# %% [markdown]
# Gain in points ± its standard error; p: paired t-test over networks.
#
# ## Published and reproduced
#
# Most cells of the table could not be read at their source, and are not filled in. Where the text claims that sleep
# helps, the sign of the gain is judged. First for the output units, as released:

# %% tags=["hide-input"]
known = reproduced.rows()
chosen = [
    key
    for key, row in known.items()
    if row.experiment == "table2_icarl"
    and row.dataset in records.datasets
    and (row.claim or values[key] == values[key])
]
tables.verdicts(page.judged().query("id in @chosen"))

# %% [markdown]
# And for the nearest mean of exemplars, from the same networks:

# %% tags=["hide-input"]
nearest = {}
for key in chosen:
    row = known[key]
    memory = row.over["icarl.memory"]
    found = finals(row.dataset, row.run, "nearest_mean")
    if memory not in found.index:  # of a smaller profile
        continue
    runs = found.loc[memory]
    if row.less.get("run") in names:
        runs = runs - finals(row.dataset, row.less["run"], "nearest_mean").loc[memory]
    if not row.less or row.less["run"] in names:
        nearest[key] = runs.tolist()
frame = judging.verdicts(nearest, protocol, claims={key: known[key].claim for key in nearest})
frame["label"] = [known[key].label for key in frame["id"]]
tables.verdicts(frame)

# %% [markdown]
# **Verdict.** With few exemplars a sleep helps iCaRL, and the fewer the more: up to $K = 200$ on MNIST, and at nearly
# every $K$ on Fashion-MNIST and CIFAR-10, for either answer. On CIFAR-10 the nearest mean gains at every $K$ in every
# network, though not significantly at $K = 2000$; on MNIST the gain is zero or a little less from $K = 500$ on. Saved
# memory is confirmed: with a sleep, 100 exemplars of MNIST are about as good as 200 without. With three networks a gain
# that varies with the task order is not always significant; the table of gains above shows each.
#
# **Which answer was published?** The code says: that of the output units. Yet at $K = 100$ and 200, with sleep and
# without, the printed accuracies lie far above those of our output units and near those of our nearest means, while the
# 87.32 % at $K = 1000$ is the accuracy of our output units and not that of our nearest means. We do not know why.
# On MNIST and Fashion-MNIST, iCaRL + SRC with $K = 100$ is above OWM ({doc}`table1_accuracy`), as claimed, if it answers
# by the nearest mean. On CIFAR-10 it is below it by either answer.
#
# **What it does not show.** The output units forget what the nearest mean still tells: trained on many new images and
# few old ones they prefer the new classes. Most of what the sleep adds for them, iCaRL's own answer has without a sleep.
#
# ## Which units fire in the last sleep
#
# The released code has a few sets of sleep parameters for each data set, by the number of exemplars. Most of these
# sleeps are nearly silent: on MNIST, and on Fashion-MNIST up to $K = 500$, the first hidden layer fires fewer than a
# hundred spikes in 35,000 steps and, but for $K = 50$ on MNIST, no layer above it any. On CIFAR-10 up to $K = 100$ a few
# hundred spikes in 15,000 steps bring the output units 26 to 32 points.
#
# On Fashion-MNIST from $K = 1000$ on, and on CIFAR-10 from $K = 200$ on, the threshold of the output units is zero: all of
# them fire in every step and next to nothing else does, so that the sleep is a slow decay of the weights into the output.
# Both answers gain by that, too.

# %% tags=["hide-input"]
rows = []
for dataset in records.datasets:
    for memory, means in summary.last_sleeps(records[dataset, "src+icarl"], "icarl.memory").iterrows():
        rows.append({"data set": figures.DATASETS[dataset], "K": memory} | tables.counts(means))
tables.plain(rows)

# %% [markdown]
# Spikes of all units of a layer in the sleep after the last task, means over networks.
#
# ## The paper's text
#
# By the text, each task is learned for ten epochs on all its images with iCaRL's own loss, and iCaRL answers by the nearest
# mean. The sleeps come from {doc}`a search <searches>` beside iCaRL with $K = 100$, scored by that answer, and serve every
# $K$. They were found on CIFAR-10. To tell the sleeps from each other, the last one was also slept alone, by networks that
# had not slept before.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels of final accuracy against the number of exemplars on CIFAR-10, left for the output units, right for the nearest mean, by the paper's text. The output units of iCaRL lie at 60 percent at every number; with sleep they rise from 45 to 57, and with one sleep in the end they lie in between up to 1000. The nearest mean of iCaRL rises from 62 to 73 percent, with sleep from 57 to 69, and with one sleep in the end it lies a point below iCaRL."}, "figure": {"caption": "As the first figure, by the paper's text, on CIFAR-10. Dashed: the last sleep alone, by networks that had not slept before.", "name": "fig-table2-text"}}
with_text = page.other.records
if with_text:
    draw_finals(with_text)

# %% tags=["hide-input"]
table_of_finals(with_text)

# %% tags=["hide-input"]
table_of_gains(with_text)

# %% tags=["hide-input"]
rows = {}
for (_, run), group in page.other.collect("table2_icarl", over={"icarl.memory": [100]}).items():
    found = summary.phases(group)
    so_far = found[found.tested <= found.task]
    for (task, kind), accuracy in so_far.groupby(["task", "kind"]).accuracy.mean().items():
        rows.setdefault(names[run], {})[f"{kind} {task + 1}"] = f"{accuracy:.1f}"
phases = [f"{kind} {task}" for task in range(1, 6) for kind in ("training", "sleep")]
tables.plain(rows, columns=phases[:1] + phases[2:], missing="–", empty="")

# %% [markdown]
# The last table: accuracy of the nearest mean with $K = 100$ on the tasks so far, in percent, after each training and each
# sleep, mean over networks.
#
# **By the text, sleep costs.** iCaRL is much better than as released, by either answer, and needs fewer exemplars. With the
# sleeps it ends four to five points lower by the nearest mean at every $K$, and more for the output units up to
# $K = 1000$. Yet each of the later sleeps brings back five to thirteen points at once, as it did in the search. The last
# table has the reason: a network that has slept forgets more in the next training. After task 3 it knows four points less
# than one that never slept, after tasks 4 and 5 thirteen and fifteen. The sleeps bring back most of what they made the
# network lose. The last one alone, after a training without sleeps, has nothing of that kind to bring back and costs a
# point, and seven to eleven for the output units.
#
# So a gain from before a sleep to after it is no gain over a network without sleeps, and a search that goes task by task
# finds sleeps that repair each other ({doc}`best_sleep` has the same for MNIST). That these sleeps do not help does not
# show that none does: the released ones, of a few hundred spikes, do on networks that are trained as released.

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("profile ci", "Runs that begin alike share the training of the first task.")
