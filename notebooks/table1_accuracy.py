# %% [markdown]
# # Table 1: final accuracy of every method
#
# **Claim.** After five tasks of two classes each, a network trained without sleep knows only the last task. With sleep
# it knows more than twice as many of the ten classes, more than with EWC {cite}`kirkpatrick2017` or SI
# {cite}`zenke2017` and nearly as many as with OWM {cite}`zeng2019`. A few old images, rehearsed, help; together with
# sleep they help much more {cite}`tadros2022`.
#
# The number is the fraction of all test images that are classified correctly among ten classes when everything has
# been learned, {eq}`eq-accuracy` taken over all tasks.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from srclib import pages
from srclib.experiments import summary
from srclib.learning import methods
from srclib.pages import figures, tables
from srclib.search import outcomes
from srclib.verdicts import published, reproduced

page = pages.open("table1_accuracy", profile=profile, protocol=protocol, seeds=seeds)
records = page.records
collected = {"random orders": records}
if protocol == "released":
    collected = {"released order": records, "random orders": page.collect("table1_orders")}


# %% tags=["hide-input"]
def printed(key):
    """Return a published value as text."""
    value = values.loc[key, "value"]
    return "n/a" if np.isnan(value) else f"{value:g}"


def label(run):
    """Return what the tables call a run."""
    name, _, variant = run.partition("/")
    return methods.find(name).label + (f", {variant.replace('_', ' ')}" if variant else "")


plain = list(dict.fromkeys(run for _, run in records if "/" not in run))
values = published.load()

# %% [markdown]
# ## Final accuracy

# %% tags=["hide-input"] mystnb={"image": {"alt": "Final accuracies of all methods on MNIST and Fashion-MNIST, one dot per network, in the released task order and in random orders, with the published mean and standard deviation beside where it is known. Sequential training, EWC and SI stay near 20 percent, rehearsal of 0.75 percent of the old images between 20 and 35. SRC lies between 20 and 50 percent, SRC with rehearsal above it but well below its published value, and OWM above both. Parallel training is above 80 percent."}, "figure": {"caption": "Final accuracy of every network, in the released task order (filled) and in task orders drawn at random (open), beside the published mean ± standard deviation (grey squares; not every cell of the table is available).", "name": "fig-table1"}}
fig, axes = plt.subplots(1, len(records.datasets), figsize=(7.2, 4.4), sharey=True, squeeze=False, layout="constrained")
for ax, dataset in zip(axes[0], records.datasets, strict=True):
    for row, run in enumerate(plain):
        color = figures.COLORS["sleep"] if run.startswith("src") else figures.COLORS["task 1"]
        for found, shift in zip(collected.values(), (0, 0.25), strict=False):
            if (dataset, run) in found:
                face = color if not shift else "none"
                figures.dots(ax, row + shift, summary.final(found[dataset, run]), color, mfc=face)
        figures.published(ax, row - 0.22, values.loc[f"table1/{dataset}/{run}"])
    ax.set(title=figures.DATASETS[dataset], xlabel="final accuracy (%)", xlim=(0, 102))
    ax.grid(axis="x", color="0.92")
figures.name_rows(axes[0, 0], [label(run).replace(" + ", " +\n") for run in plain])
plt.show()

# %% [markdown]
# ## Published and reproduced

# %% tags=["hide-input"]
page.verdicts("table1/")

# %% [markdown]
# ## The whole table
#
# Reproduced mean ± standard deviation over networks, with the published value in brackets; n/a: it could not be read at
# its source, and is not filled in. A dash: not computed in this edition. CUB-200 has two tasks, and two numbers;
# ours are for 50 of its classes ({doc}`table1_cub`).

# %% tags=["hide-input"]
columns = ["mnist", "fashion_mnist", "cross_modal", "cifar10", "cub200"]
runs = reproduced.reproduced(page.store, protocol)
rows = {}
for run in ("sequential", "ewc", "si", "owm", "src", "rehearsal", "src+rehearsal", "parallel"):
    for dataset in columns:
        keys = [key for key in values.index if key.startswith(f"table1/{dataset}/{run}")]
        keys = [key for key in keys if key.removeprefix(f"table1/{dataset}/").partition("/")[0] == run]
        ours = ", ".join(figures.spread(runs[key].values) if key in runs else "–" for key in keys)
        theirs = ", ".join(map(printed, keys))
        rows.setdefault(label(run), {})[figures.DATASETS[dataset]] = f"{ours} ({theirs})"
tables.plain(rows)

# %% [markdown]
# ## Why EWC and SI stay near 20 %
#
# Both hold the weights that an old task needs, so that its outputs change little for its own inputs. In
# class-incremental learning that is not enough: the old classes are never trained against the new ones, and while a new
# task is learned every output of an old class is pushed down, whatever the input. The outputs of the last task then win
# for every image, which is right for two classes in ten {cite}`vandeven2019`.
#
# That does not depend on the setting. The settings of the three methods in the paper are not available, so each was
# searched on training images held out of training ({func}`srclib.search.conduct.conduct`); what that cost stands below. `published`
# are the settings of the code that the paper refers to for EWC and SI, and of the authors of OWM. For EWC and SI the
# search ends where the penalty has no effect: nothing that it tried is better than sequential training. OWM, which
# changes weights only in directions that old inputs do not excite, gains much by it.

# %% tags=["hide-input"]
rows = []
for run in [run for run in plain if f"{run}/published" in {r for _, r in records}]:
    for dataset in records.datasets:
        found = outcomes.outcome(f"{protocol}_mnist_{run}")
        study = f"{found['study']['trials']} trials, {found['provenance']['core_minutes']:.0f} core-minutes, on MNIST"
        rows.append(
            {
                "method": label(run),
                "data set": figures.DATASETS[dataset],
                "published setting": figures.spread(summary.final(records[dataset, f"{run}/published"])),
                "setting found": figures.spread(summary.final(records[dataset, run])),
                "searched": study,
                "value found": ", ".join(f"{k} {v:.3g}" for k, v in found["stages"][0]["values"].items()),
            }
        )
tables.plain(rows)

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks. Those whose training diverged, which leaves one class
# in ten, are counted apart.
#
# ## Task orders
#
# The paper's five runs differ in the order of the tasks; the released scripts keep one order. Both were run.

# %% tags=["hide-input"]
rows = {}
for order, found in collected.items():
    for (dataset, run), group in found.items():
        if "/" not in run:
            column = f"{figures.DATASETS[dataset]}, {order}"
            rows.setdefault(label(run), {})[column] = figures.spread(summary.final(group))
tables.plain(rows, missing="–")

# %% [markdown]
# ## The paper's text
#
# The protocol `described` takes the text at its word: softmax cross-entropy, ten epochs, all images of a task, rehearsal
# with a weighted loss, the rule of Algorithm 1 without a gate or a leak, and a random task order for every network
# ({doc}`../book/protocols`). The text gives no parameters of the sleeps, so they come from {doc}`searches of our own
# <searches>`, one without rehearsal and one with it. EWC and SI have settings that were not searched, OWM that of its
# authors.

# %% tags=["hide-input"]
page.other.collect("table1_accuracy")
page.other.verdicts("table1/")

# %% [markdown]
# **The published table is that of the text.** On MNIST every published value that is known agrees with what the text
# gives, also where the released scripts are far away: parallel training, and SRC with rehearsal. On Fashion-MNIST three
# of four do; SRC with rehearsal stands about ten points above its published value.
#
# **What sleep adds to rehearsal is small on MNIST and Fashion-MNIST.** With ten epochs and old images that count as much as new ones, 0.75 % of the
# old images alone bring MNIST to 85 %, which is where the published value of SRC with rehearsal stands. The sleeps that
# a search found beside rehearsal helped its own networks on held-out images ({doc}`searches`). On other networks they
# take about two points away on MNIST, with a wide spread, and add about three on Fashion-MNIST; {doc}`fig3_rehearsal`
# has the pairs. On CIFAR-10 they add sixteen ({doc}`table1_cifar10`). The published value of rehearsal alone is not
# available.
#
# **OWM** at its authors' setting keeps 86 % of MNIST and 72 % of Fashion-MNIST, as much as rehearsal and thirty points
# more than SRC, without an old image and without a search. EWC and SI stay near sequential training; with SI, one
# network of three diverged on Fashion-MNIST.
#
# ## What explains the differences
#
# **Parallel training.** The released script trains for two epochs, the paper says ten. The rectified output with a
# squared error learns slowly: after two epochs it is short of the published accuracy, after ten it reaches it. So the
# published value belongs to the paper's text and not to the released script.
#
# **SRC.** The released script takes the mean input and the layer scales over every image of the classes seen, about
# 12,000 a task, although the network was trained on the first 5,000; the paper says that they come from the inputs seen
# in training. That change is below as *trained statistics*. {doc}`Figure 2 <fig2_recovery>` compares the two through all
# phases; at the end there is no difference that these networks could show. The parameters of the released sleep were
# found for one task order: in random orders it is worse on both data sets, most on Fashion-MNIST.
#
# **Rehearsal.** The published 86.47 % and 67.818 % of SRC with 0.75 % rehearsal are far above what the released scripts
# give at that fraction. 0.75 % is none of the fractions in the released sweep, which rounds to whole hundreds of images:
# here 100, 200, 300 and 400 old images in tasks 2 to 5, each seen twice, with the loss unweighted. The text has ten
# epochs and a weighted loss, and with these rehearsal alone is that good. {doc}`Figure 3 <fig3_rehearsal>` has more
# fractions: the released scripts reach the published accuracy on MNIST with between 5 and 10 % of the old images.
#
# **EWC and SI.** The published values stand one and two points above sequential training. With the released
# training no setting explains them; by the text, SI is one and a half points above sequential training on three
# networks of MNIST. At the strength of the code that the
# paper refers to, EWC diverges here: with learning rate $\eta$ and momentum $\mu$, gradient descent is unstable where
# $\eta \lambda F > 2 (1 + \mu)$.
#
# **OWM.** Its published values are not available; the paper says that it is slightly better than SRC on most tasks. At its
# authors' setting, with the released training, it is above SRC on Fashion-MNIST but not on MNIST. With the setting that a short
# search finds, and by the paper's text with its authors' setting, OWM is well above SRC on both data sets, so the
# comparison rests on how OWM was tuned.
#
# **Fair comparison.** Parallel training sees all 60,000 images, the others 5,000 a task, 25,000 in all. The published
# standard deviations of sequential and parallel training are printed as fractions and read here as such (.002 is 0.2
# points). With rectified outputs an image that excites no output counts as class 0, as in the released code; where the
# task with class 0 is not the last one, this can lift an accuracy by up to ten points.
#
# ## Accuracy of every task at the end

# %% tags=["hide-input"]
rows = []
for (dataset, run), group in records.items():
    last = summary.last_phase(group).groupby("tested").accuracy
    each = {f"task {k + 1}": figures.spread(accuracies) for k, accuracies in last}
    rows.append({"data set": figures.DATASETS[dataset], "method": label(run)} | each)
tables.plain(rows)

# %% [markdown]
# Accuracy in percent, mean ± standard deviation over networks.
#
# ## Provenance

# %% tags=["hide-input"]
page.provenance("profile ci")
