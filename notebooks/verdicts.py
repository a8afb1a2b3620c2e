# %% [markdown]
# # What a verdict means
#
# **Every published number and every claim gets a verdict from a test that can come out either way**, and "undecided" is
# one of them. Three networks decide little: the picture shows how often each verdict comes out when the truth is known.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from srclib import pages
from srclib.pages import figures
from srclib.verdicts import simulation

page = pages.open("verdicts")
simulated = simulation.simulate()

# %% tags=["hide-input"]
verdicts = {
    "value": {"agrees": "sleep", "undecided": "published", "differs": "task 2"},
    "effect": {"confirmed": "sleep", "no effect": "overlapping", "undecided": "published", "reversed": "task 2"},
}
differences = simulated["difference"].unique()
fig, axes = plt.subplots(2, len(differences), figsize=(7.2, 4.2), sharex=True, sharey=True, layout="constrained")
for row, (kind, colors) in zip(axes, verdicts.items(), strict=True):
    for ax, away in zip(row, differences, strict=True):
        shares = (
            simulated.query("kind == @kind and difference == @away")
            .pivot(index="n", columns="verdict", values="share")
            .reindex(columns=list(colors))
            .fillna(0)
        )
        bottom = 0
        for verdict, color in colors.items():
            ax.bar(
                shares.index.astype(str),
                100 * shares[verdict],
                bottom=bottom,
                color=figures.COLORS[color],
                label=verdict,
            )
            bottom = bottom + 100 * shares[verdict]
        ax.set(ylim=(0, 100))
    row[0].set(ylabel=f"verdicts on\nan {kind} (%)" if kind == "effect" else f"verdicts on\na {kind} (%)")
    row[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
for ax, away in zip(axes[0], differences, strict=True):
    ax.set_title(f"true difference: {away:g}", size=10)
for ax in axes[-1]:
    ax.set(xlabel="networks")
share = simulated.set_index(["kind", "difference", "n", "verdict"])["share"]
figures.show(
    fig,
    "fig-worth-of-a-verdict",
    caption=f"How often each verdict comes out, by the true difference and the number of networks. Networks spread by "
    f"{simulation.SPREAD:g} points, and the published value is a mean of {simulation.TRIALS}.",
    alt=f"With three networks a true effect of 10 points is confirmed in {100 * share['effect', 10, 3, 'confirmed']:.0f} "
    f"percent of cases, with ten in {100 * share['effect', 10, 10, 'confirmed']:.0f} percent. One of 2 points is confirmed "
    f"in {100 * share['effect', 2, 3, 'confirmed']:.0f} and {100 * share['effect', 2, 20, 'confirmed']:.0f} percent with "
    "three and with twenty.",
)

# %% [markdown]
# (verdicts)=
# ## The rules
#
# **A value** is judged by the 95 % interval of its difference from the published one (Welch's; a prediction interval
# where the published value is of one trial). A published standard deviation that is not known is taken to be ours.
#
# - ✓ **agrees**: the whole interval lies within a margin of ±3 points of accuracy, ±1 epoch or ±1 pixel.
# - ≠ **differs**: it does not, and excludes zero.
# - ? **undecided**: neither. The table says how many networks would decide it, all else equal; where the published
#   spread alone is too wide, no number would.
#
# **An effect** is judged apart from the level, network by network, against the right control: the corrected one where
# the released control has a slip. A level can agree while the effect is absent.
#
# - ✓ **confirmed**: the 95 % interval of the mean change excludes zero, on the claimed side.
# - ∅ **no effect**: it lies within ±1 point.
# - ⇅ **reversed**: it excludes zero on the other side, by 1 point or more.
# - ? **undecided**: none of these.
#
# **A claim**, as the paper words it, gets one test over all conditions it speaks of: a mean for each network and data
# set first, then over data sets with equal weight (Satterthwaite's degrees of freedom). A claim on *every* condition
# has to hold in each. The claims of one family, a figure or a table, are corrected together (Holm): what is confirmed or
# reversed has a corrected p below 0.05. Intervals are shown as they are.
#
# Where nothing can be judged: ○ **no published value** could be found in print; ↯ all networks **diverged**; – **not
# judged** (a claim about a method, or one without a yardstick) or **not tested** here, with the reason. Networks that
# diverged are counted, not averaged. All networks in the store are used.
#
# ## What a verdict does not say
#
# An agreement says that the published number comes out again. It does not say that the method is good, nor that it
# would stand against the simplest control: that is another question, with its own page.
#
# ## Where the published numbers come from
#
# The bodies of Tables 1 to 3 and the Supplement could not be read at their source. Cells that the text does not state
# are quoted from six secondary notes, and every number shows its source and confidence where it stands (the small
# letters; hover over one, or move the focus to it). A standard deviation printed as .002 beside others printed as 5.03 is
# read as a fraction; where the other reading would change a verdict, the table says so.
#
# ## The guard
#
# Every verdict is committed with what it rests on: mean, standard deviation, number of networks, and the SHA-256 of
# their records. `python -m srclib verdicts --check` fails when any of them moves.

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance()
