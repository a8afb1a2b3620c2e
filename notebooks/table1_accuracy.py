# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 1: final accuracy
#
# **Claim.** After five tasks of two classes each, a network trained without sleep knows only the last task. With sleep
# it knows more than twice as many of the ten classes. Trained on all tasks at once it knows nearly all
# {cite}`tadros2022`.
#
# The number is the fraction of all test images that are classified correctly among ten classes when everything has
# been learned, {eq}`eq-accuracy` taken over all tasks. This page holds the first half of the table: sequential
# training, SRC, and parallel training ("ideal") on MNIST and Fashion-MNIST.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import sys

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, Markdown

from srclib import figures, published, results, verdicts
from srclib.store import Store

results.log_stages(sys.stdout)
figures.use_style()

store = Store()
records = results.collect("table1_accuracy", profile, protocol, store=store, seeds=seeds)
datasets, runs = (list(dict.fromkeys(names)) for names in zip(*records, strict=True))
names = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
labels = {
    "sequential": "Sequential",
    "src": "SRC",
    "src/trained_statistics": "SRC, statistics of\nthe images trained on",
    "parallel": "Parallel",
    "parallel/ten_epochs": "Parallel,\nten epochs",
}

# %% [markdown]
# ## Final accuracy

# %% tags=["hide-input"] mystnb={"image": {"alt": "Final accuracies on MNIST and Fashion-MNIST, one dot per network with the published mean and standard deviation beside. Sequential training is near 20 percent as published on both. SRC is spread around the published 48 percent on MNIST and 42 percent on Fashion-MNIST, with either kind of statistics. Parallel training as released stays a few points below the published value and reaches it with ten epochs."}, "figure": {"caption": "Final accuracy of every network (dots) beside the published mean ± standard deviation (grey squares). The variants in the third and fifth row differ from the released code in one setting each.", "name": "fig-table1"}}
table = published.load()
fig, axes = plt.subplots(1, len(datasets), figsize=(7.2, 3.4), sharey=True, squeeze=False, layout="constrained")
for ax, dataset in zip(axes[0], datasets, strict=True):
    for row, run in enumerate(runs):
        finals = results.final(records[dataset, run])
        color = figures.COLORS["sleep"] if run.startswith("src") else figures.COLORS["task 1"]
        ax.plot(finals, [row - 0.12] * len(finals), "o", color=color, ms=6, alpha=0.6)
        value = table.loc[f"table1/{dataset}/{run.partition('/')[0]}"]
        ax.errorbar(
            value["value"], row + 0.14, xerr=value["sd"], fmt="s", color=figures.COLORS["published"], capsize=3, ms=5
        )
    ax.set(title=names[dataset], xlabel="final accuracy (%)", xlim=(0, 102))
    ax.grid(axis="x", color="0.92")
axes[0, 0].set_yticks(range(len(runs)), [labels[run] for run in runs])
axes[0, 0].invert_yaxis()
plt.show()

# %% [markdown]
# ## Published and reproduced

# %% tags=["hide-input"]
verdict = verdicts.table(store, protocol, prefix="table1/")
HTML(published.styled(verdict))

# %% [markdown]
# Two variants that change one setting each, judged against the same published values:

# %% tags=["hide-input"]
variants = {
    f"table1/{dataset}/{run.partition('/')[0]}": results.final(records[dataset, run])
    for dataset, run in records
    if "/" in run
}
changed = published.verdicts(variants, protocol=protocol)
changed["label"] = [f"{names[d]}: {labels[run]}".replace("\n", " ") for d, run in records if "/" in run]
HTML(published.styled(changed))

# %% [markdown]
# ## What explains the differences
#
# **Parallel training.** The released script trains for two epochs, the paper says ten. The rectified output with a
# squared error learns slowly: after two epochs it is short of the published accuracy, after ten it reaches it. So the
# published value belongs to the paper's text and not to the released script.
#
# **SRC.** The released script takes the mean input and the layer scales over every image of the classes seen, about
# 12,000 a task, although the network was trained on the first 5,000; the paper says that they come from the inputs seen
# in training. The third row of the picture makes that change. {doc}`Figure 2 <fig2_recovery>` compares the two through
# all phases and finds no difference that these networks could show.
#
# **Fair comparison.** Parallel training sees all 60,000 images, the others 5,000 a task, 25,000 in all. The released
# script learns the tasks in one fixed order, as here; the paper says that its runs differ in task order. The published
# standard deviations of sequential and parallel training are printed as fractions and read here as such (.002 is 0.2
# points).
#
# ## Accuracy of every task at the end

# %% tags=["hide-input"]
rows = []
for (dataset, run), group in records.items():
    phases = results.phases(group)
    last = phases[phases.phase == phases.phase.max()]
    means = last.groupby("tested")["accuracy"].agg(["mean", "std"])
    rows.append(
        {"data set": names[dataset], "method": labels[run].replace("\n", " ")}
        | {
            f"classes {2 * k}, {2 * k + 1}": f"{m:.1f}" + (f" ± {sd:.1f}" if sd == sd else "")
            for k, (m, sd) in enumerate(means.to_numpy())
        }
    )
HTML(pd.DataFrame(rows).to_html(index=False, border=0))

# %% [markdown]
# Accuracy in percent, mean ± standard deviation over networks.
#
# ## Provenance

# %% tags=["hide-input"]
everything = [record for group in records.values() for record in group]
Markdown(f"Profile `{profile}`, protocol `{protocol}`. {results.provenance(everything)}")

# %% [markdown]
# To run this page again with other parameters:
#
# ```bash
# nox -s notebook -- table1_accuracy -p profile ci
# ```
