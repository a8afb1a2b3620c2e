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
# # A better sleep
#
# What can sleep replay do when the choices around it are ours, and only its constraint is kept: of past tasks nothing is
# there but the mean input? Here the released sleep is changed one step at a time. The protocol `tuned` holds the last of
# them.
#
# 1. **Released**: as {doc}`table1_accuracy`, each network with a task order of its own.
# 2. **64 streams**: the steps of a sleep are shared by 64 streams of noise that run at once, and the weights change by
#    the mean over them ({doc}`supplement2_batches`). All parameters stay.
# 3. **Larger first weights**: uniform in ±0.03 instead of ±0.01, the best of 0.01, 0.02, 0.03 and 0.05 on the two networks
#    of the search.
# 4. **Searched**: rate, inc, dec, thresholds and length from {doc}`a search <searches>` on other networks with other task
#    orders, scored on training images that were held out. One set of parameters serves all five sleeps.
#
# No choice was made on a test image, or on a network or task order that is shown here.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from srclib import figures, published, results, summary
from srclib.store import Store

results.log_stages(sys.stdout)
figures.use_style()

store = Store()
records = {
    (protocol, run): group
    for protocol in ("released", "tuned")
    for (_, run), group in results.collect("best_sleep", profile, protocol, store=store, seeds=seeds).items()
}
labels = {
    ("released", "sequential"): "No sleep",
    ("released", "src"): "Released",
    ("released", "src/streams_64"): "64 streams",
    ("released", "src/streams_64_init"): "Larger first weights",
    ("tuned", "src"): "Searched (tuned)",
    ("tuned", "sequential"): "No sleep, larger first weights",
    ("tuned", "rehearsal"): "Rehearsal 0.75 %",
    ("tuned", "src+rehearsal"): "Tuned + Rehearsal 0.75 %",
}
steps = [key for key in labels if key in records and "rehearsal" not in key[1]]
theirs = published.load().loc["table1/mnist/src"]

# %% [markdown]
# ## Step by step

# %% tags=["hide-input"] mystnb={"image": {"alt": "Dots for five networks and their mean, one row per step. Without sleep 19 percent, with or without larger first weights. Released 45, 64 streams 49 with a wide spread, larger first weights 65, searched 62. The last two lie above the grey band of the published value, 43 to 54 percent."}, "figure": {"caption": "Final accuracy on all ten digits of MNIST, one dot per network, each with its own task order; lines: means. Grey: published mean ± standard deviation of SRC.", "name": "fig-best-sleep"}}
fig, ax = plt.subplots(figsize=(7.2, 3.2), layout="constrained")
for row, key in enumerate(steps):
    finals = summary.final(records[key])
    color = figures.COLORS["sleep"] if key[1].startswith("src") else figures.COLORS["published"]
    ax.plot(finals, [row] * len(finals), "o", color=color, ms=6, alpha=0.6)
    ax.plot([np.mean(finals)] * 2, [row - 0.3, row + 0.3], color="k", lw=2)
ax.axvspan(theirs["value"] - theirs["sd"], theirs["value"] + theirs["sd"], color="0.9", zorder=0)
ax.set_yticks(range(len(steps)), [labels[key] for key in steps])
ax.set(xlabel="final accuracy (%)", xlim=(0, 100))
ax.invert_yaxis()
ax.grid(axis="x", color="0.92")
plt.show()

# %% tags=["hide-input"]
rows = []
for key, label in labels.items():
    if key in records:
        finals = np.array(summary.final(records[key]))
        rows.append(
            {
                "": label,
                "protocol": key[0],
                "final accuracy": figures.spread(finals),
                "lowest": f"{finals.min():.1f}",
                "highest": f"{finals.max():.1f}",
                "networks": len(finals),
            }
        )
HTML(pd.DataFrame(rows).to_html(index=False, border=0))

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks.
#
# **Larger first weights are the largest step.** With 64 streams and three times the first weights, and every parameter of
# the sleep as released, the networks end 20 points above the released ones and 16 above the published value, and all
# five are better. Streams alone bring less here than where the tasks come in sorted order, and networks differ widely.
# Without sleep larger weights change nothing. Why sleep likes them we do not know.
#
# **The search adds nothing.** On its own two networks the sleep that it found is three points better than the one it
# started from, 77 % against 74 %. On five others it is at 62 %. Two networks with their task orders are too few: what a
# sleep brings back depends on the order in which the tasks came, and the found parameters suit those two. The aim of
# 75 % is not reached. A search on more networks is what comes next.
#
# **Rehearsal.** With the weighted loss, 0.75 % of the old images alone bring these networks to 85 %, and the sleep takes
# 16 points away: it was found without rehearsal, and there is little to bring back.
#
# ## After every sleep

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels of accuracy on the tasks learned so far against the number of tasks, after training and after sleep. After training both fall from 98 to 20 percent. After sleep the released networks go from near 80 percent after the first two tasks down to 45; the tuned ones from 91 steadily to 62."}, "figure": {"caption": "Mean accuracy on the tasks learned so far, after each training (open) and after the sleep that follows (filled); mean over networks, error bars: standard error of the mean.", "name": "fig-best-sleep-course"}}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
shown = [key for key in (("released", "src"), ("tuned", "src")) if key in records]
for ax, key in zip(axes, shown, strict=False):
    phases = summary.phases(records[key])
    seen = phases[phases.tested <= phases.task]
    course = seen.groupby(["kind", "task", "seed"]).accuracy.mean().groupby(["kind", "task"]).agg(["mean", "sem"])
    for kind, face in (("training", "w"), ("sleep", figures.COLORS["sleep"])):
        if kind in course.index:
            means = course.loc[kind]
            ax.errorbar(
                means.index + 1, means["mean"], means["sem"].fillna(0), marker="o", mfc=face,
                color=figures.COLORS["sleep"] if kind == "sleep" else figures.COLORS["published"], label=f"after {kind}",
            )  # fmt: skip
    ax.set(title=labels[key], xlabel="tasks learned", ylim=(0, 100), xticks=range(1, 6))
    ax.grid(axis="y", color="0.92")
axes[0].set_ylabel("accuracy on these tasks (%)")
axes[0].legend()
plt.show()

# %% [markdown]
# With these task orders the released sleep already takes a fifth from the first task, when nothing has been forgotten yet;
# the tuned one takes less than half of that. Both lose some of the old tasks with every new one. The tuned sleep loses
# about seven points each time, the released one ten to fifteen.
#
# ## Provenance

# %% tags=["hide-input"]
everything = [record for group in records.values() for record in group]
Markdown(f"Profile `{profile}`, protocols `released` and `tuned`. {summary.provenance(everything)}")

# %% [markdown]
# To run this page again with other parameters:
#
# ```bash
# nox -s notebook -- best_sleep -p seeds 2
# ```
