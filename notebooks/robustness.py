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
# # How robust is the result?
#
# **Claim.** Sleep more than doubles the final accuracy on MNIST; the paper's mean and standard deviation come from five
# networks {cite}`tadros2022`.
#
# Here are twenty networks that learn the tasks in the released order, and twenty that each have an order of their own.
# Then one parameter of the released sleep after another is made smaller and larger, for all five sleeps at once, and
# the sleeps are made shorter and longer.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import sys
from functools import reduce

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import HTML, Markdown
from scipy import stats

from srclib import figures, protocols, published, results, summary
from srclib.store import Store

results.log_stages(sys.stdout)
figures.use_style()

store = Store()
orders = {"released order": "robustness_networks", "random orders": "robustness_orders"}
records = {
    order: {run: group for (_, run), group in results.collect(name, profile, store=store, seeds=seeds).items()}
    for order, name in orders.items()
}
names = {"sequential": "without sleep", "src": "with sleep"}
theirs = published.load().loc["table1/mnist/src"]

# %% [markdown]
# ## Networks and task orders

# %% tags=["hide-input"] mystnb={"image": {"alt": "ALT"}, "figure": {"caption": "Final accuracy of single networks (dots) and its distribution, without sleep and with it. Grey: published mean ± standard deviation of five networks with sleep.", "name": "fig-robustness"}}
data = pd.DataFrame(
    {"order": order, "run": names[run], "accuracy": accuracy}
    for order, group in records.items()
    for run, found in group.items()
    for accuracy in summary.final(found)
)
colors = {names["sequential"]: figures.COLORS["published"], names["src"]: figures.COLORS["sleep"]}
fig, ax = plt.subplots(figsize=(7.2, 3.6), layout="constrained")
each = {"data": data, "x": "accuracy", "y": "order", "hue": "run", "palette": colors, "ax": ax}
sns.violinplot(**each, inner=None, cut=0, density_norm="width", alpha=0.35, linewidth=0.8)
sns.stripplot(**each, dodge=True, size=4, legend=False)
ax.axvspan(theirs["value"] - theirs["sd"], theirs["value"] + theirs["sd"], color="0.9", zorder=0)
ax.axvline(theirs["value"], color="0.6", zorder=0)
ax.set(xlabel="final accuracy (%)", ylabel="", xlim=(0, 100))
ax.legend(title="", loc="lower right")
plt.show()

# %% tags=["hide-input"]
rows = []
for order, group in records.items():
    without, with_sleep = (np.array(summary.final(group[run])) for run in names)
    gain = with_sleep - without
    test = f"p = {stats.wilcoxon(gain).pvalue:.2g}" if len(gain) > 1 else "–"
    rows.append(
        {
            "task orders": order,
            "networks": len(gain),
            "without sleep": figures.spread(without),
            "with sleep": figures.spread(with_sleep),
            "lowest, highest": f"{with_sleep.min():.1f}, {with_sleep.max():.1f}",
            "gain": figures.spread(gain),
            "smallest gain": f"{gain.min():+.1f}",
            "more than doubled": f"{np.mean(with_sleep > 2 * without):.0%}",
            "signed-rank test": test,
        }
    )
HTML(pd.DataFrame(rows).to_html(index=False, border=0))

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks; the test is Wilcoxon's, on the gain of every
# network.
#
# TEXT
#
# ## Parameters of the sleep

# %% tags=["hide-input"] mystnb={"image": {"alt": "ALT"}, "figure": {"caption": "Final accuracy when one parameter of all five sleeps is multiplied by a factor, the others as released; mean over networks, error bars: standard error of the mean. Dots: networks.", "name": "fig-robustness-parameters"}}
released = protocols.load("released", "mnist").sleep
titles = {
    "sleep.config.rate": "rate of the noise",
    "sleep.config.inc": "inc",
    "sleep.config.dec": "dec",
    "sleep.config.alpha": "gain of all layers",
    "sleep.config.gate": "width of the gate",
    "sleep.config.beta": "threshold of {}",
    "sleep.config.decay": "leak",
    "sleep.steps": "length of the sleeps",
}
layers = ["hidden layer 1", "hidden layer 2", "the outputs"]


def factors(path, values):
    """Return by how much each of some values of a parameter is multiplied, and which of its numbers is."""
    base, values = np.array(reduce(getattr, path.split(".")[1:], released)), np.array(list(values))
    ratio = (1 - values) / (1 - base) if path.endswith("decay") else values / base
    ratio = ratio.reshape(len(values), -1)
    which = int(np.abs(np.log(ratio)).max(axis=0).argmax())
    return ratio[:, which], which


swept = {}
for over in results.settings("robustness_parameters", profile)["over"]:
    ((path, values),) = over.items()
    group = results.collect("robustness_parameters", profile, store=store, seeds=seeds, over=[over])["mnist", "src"]
    found = summary.finals(group, path)
    factor, which = factors(path, found.index)
    found.index = pd.Index(factor, name="factor")
    swept[titles[path].format(layers[which])] = found.sort_index()

ticks = [1 / 64, 1 / 16, 1 / 4, 1 / 2, 1, 2, 4]
fig, axes = plt.subplots(
    -(-len(swept) // 5), min(5, len(swept)), figsize=(10, 4.6), sharey=True, squeeze=False, layout="constrained"
)
for ax, (title, found) in zip(axes.flat, swept.items(), strict=False):
    for factor, accuracies in found.iterrows():
        ax.plot([factor] * len(accuracies), accuracies, "o", color=figures.COLORS["sleep"], ms=3, alpha=0.4)
    error = found.sem(axis=1).fillna(0)
    ax.errorbar(found.index, found.mean(axis=1), error, color=figures.COLORS["sleep"], capsize=2, marker="D", ms=4)
    ax.axvline(1, color="0.85", zorder=0)
    ax.set(title=title, xscale="log", ylim=(0, 60))
    shown = [tick for tick in ticks if found.index.min() * 0.99 <= tick]
    ax.set_xticks(shown, [f"{tick:g}" if tick >= 0.1 else f"1/{1 / tick:.0f}" for tick in shown], fontsize=8)
    ax.minorticks_off()
    ax.grid(axis="y", color="0.92")
for ax in axes[:, 0]:
    ax.set_ylabel("final accuracy (%)")
fig.supxlabel("factor on the released value", fontsize=11)
plt.show()

# %% tags=["hide-input"]
everything_swept = pd.DataFrame(
    {
        title: {f"× {factor:.3g}": figures.spread(row) for factor, row in found.iterrows()}
        for title, found in swept.items()
    }
).T
HTML(everything_swept.fillna("–").to_html(border=0))

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks.
#
# TEXT
#
# ## Provenance

# %% tags=["hide-input"]
everything = [record for found in records.values() for group in found.values() for record in group]
everything += results.collect("robustness_parameters", profile, store=store, seeds=seeds)["mnist", "src"]
Markdown(f"Profile `{profile}`, protocol `released`. {summary.provenance(everything)}")

# %% [markdown]
# To run this page again with other parameters:
#
# ```bash
# nox -s notebook -- robustness -p seeds 3
# ```
