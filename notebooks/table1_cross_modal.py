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
# # Table 1: cross-modal MNIST
#
# **Claim.** A network learns the ten digits of MNIST, then the ten kinds of clothes of Fashion-MNIST with the same ten
# outputs: digit 0 and T-shirt share one, and so on. Without sleep it loses the digits; with sleep it keeps part of both
# {cite}`tadros2022`.
#
# The accuracy is over the 20,000 test images of both data sets. Half of it is within reach of a network that knows one.
#
# Three things in the released script were hardly meant, and each bears on a number of the table:
#
# | slip | what happens | corrected by |
# | --- | --- | --- |
# | the control of the second task starts from the initial weights | it never saw MNIST, so it has nothing to forget | `sequential` in place of `sequential/restarted` |
# | the lengths of the sleeps, 6,666 and 12,468 steps, are kept in 8 bits | both sleeps end after 255 steps | `full_length` |
# | the mean input and the layer scales of the second sleep are those of MNIST | the sleep knows nothing of the clothes | `all_statistics` |

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from srclib import figures, published, results, verdicts
from srclib.store import Store

results.log_stages(sys.stdout)
figures.use_style()

store = Store()
records = {
    run: group
    for (_, run), group in results.collect("table1_cross_modal", profile, protocol, store=store, seeds=seeds).items()
}
labels = {
    "sequential/restarted": "Sequential, as released",
    "sequential": "Sequential, that saw MNIST",
    "ewc": "EWC",
    "si": "SI",
    "owm": "OWM",
    "src": "SRC, as released",
    "src/full_length": "SRC, sleeps of full length",
    "src/all_statistics": "SRC, statistics of both data sets",
    "src/corrected": "SRC, both corrected",
    "rehearsal": "Rehearsal 0.75 %",
    "src+rehearsal": "SRC + Rehearsal 0.75 %, as released",
    "src+rehearsal/corrected": "SRC + Rehearsal 0.75 %, corrected",
    "parallel": "Parallel",
}
published_of = {
    "sequential/restarted": "sequential",
    "src": "src",
    "src+rehearsal": "src+rehearsal",
    "parallel": "parallel",
}
values = published.load()

# %% [markdown]
# ## As released, and corrected

# %% tags=["hide-input"] mystnb={"image": {"alt": "Accuracy over both data sets, one dot per network, for the sequential control as released and corrected, SRC as released and with each slip corrected, rehearsal, SRC with rehearsal and parallel training, with published values beside where they are known."}, "figure": {"caption": "Final accuracy over the test images of both data sets, one dot per network, beside the published mean ± standard deviation (grey squares, at the run as released).", "name": "fig-cross-modal"}}
shown = [run for run in labels if run in records]
fig, ax = plt.subplots(figsize=(7.2, 0.34 * len(shown) + 1), layout="constrained")
for row, run in enumerate(shown):
    color = figures.COLORS["sleep"] if run.startswith("src") else figures.COLORS["task 1"]
    finals = results.final(records[run])
    ax.plot(finals, [row + 0.1] * len(finals), "o", color=color, ms=5.5, alpha=0.6)
    if run in published_of:
        value = values.loc[f"table1/cross_modal/{published_of[run]}"]
        ax.errorbar(
            value["value"], row - 0.2, xerr=value["sd"], fmt="s", color=figures.COLORS["published"], capsize=3, ms=5
        )
ax.set_yticks(range(len(shown)), [labels[run] for run in shown])
ax.set(xlabel="final accuracy (%)", xlim=(0, 102))
ax.invert_yaxis()
ax.grid(axis="x", color="0.92")
plt.show()

# %% [markdown]
# ## Published and reproduced

# %% tags=["hide-input"]
HTML(published.styled(verdicts.table(store, protocol, prefix="table1/cross_modal/")))

# %% [markdown]
# ## Digits and clothes
#
# What each run knows of either data set in the end.

# %% tags=["hide-input"]
rows = []
for run in shown:
    phases = results.phases(records[run])
    last = phases[phases.phase == phases.phase.max()]
    row = {"run": labels[run]}
    for tested, name in enumerate(("MNIST", "Fashion-MNIST")):
        accuracy = last.accuracy[last.tested == tested]
        row[name] = f"{accuracy.mean():.1f}" + (f" ± {accuracy.std():.1f}" if len(accuracy) > 1 else "")
    finals = results.final(records[run])
    row["both"] = f"{np.mean(finals):.1f}" + (f" ± {np.std(finals, ddof=1):.1f}" if len(finals) > 1 else "")
    rows.append(row)
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
# nox -s notebook -- table1_cross_modal -p profile ci
# ```
