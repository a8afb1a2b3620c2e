# %% [markdown]
# # Figure 1: binary patches
#
# **Claim.** A network learns two images (task 1), then two others (task 2) that share pixels with the first. Beyond
# some overlap it forgets task 1 although nothing but the overlap is new. Sleep brings task 1 back, and in a network of
# one layer one can see how {cite}`tadros2022`.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says
overlap_min = None  # pixels; None: as the profile says
overlap_max = None  # pixels; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from srclib import pages
from srclib.data import patches
from srclib.experiments import summary
from srclib.pages import figures, tables

pixels = {"overlap_min": overlap_min, "overlap_max": overlap_max}
present = pages.settings("fig1_patches", profile, protocol, **pixels)
ranges = pages.rising(0, 100, **{name: present[name] for name in pixels})
page = pages.open("fig1_patches", profile=profile, protocol=protocol, seeds=seeds, **ranges)
accuracy = {run: summary.phases(group) for run, group in page.collect("fig1_patches", **pixels).by_run.items()}
weights = page.collect("fig1_weights").by_run

# %% tags=["hide-input"]
stages = ["after T1", "after T2", "after SRC"]
setups = {
    "src": "two epochs for T2, as in\nthe script of Fig. 1B",
    "src/four_epochs": "four epochs for T2, as in\nthe script of Fig. 1C, D",
}
styles = [
    {"color": figures.COLORS["task 1"], "marker": "o", "ls": "--", "ms": 8, "mfc": "none"},
    {"color": figures.COLORS["task 2"], "marker": "s", "ls": "--", "ms": 5},
    {"color": figures.COLORS["sleep"], "marker": "D", "ls": "-", "ms": 4},
]
claims = page.claims(2, 5, 6, 7, 8, 9, 10, 11, 12, 13).set_index("number").sentence.str.removesuffix(".")
DISTINCT = 17  # pixels from which on all four images are the same


def told(run, value, tested=0):
    """Return means over networks after T2 and after SRC, at the overlaps where not all are alike, as text."""
    means = accuracy[run].query("tested == @tested").pivot_table(index="overlap", columns="phase", values=value)
    found = [(overlap, *(f"{x:.0f}" for x in row[[1, 2]])) for overlap, row in means.iterrows() if overlap < DISTINCT]
    changes = [new for old, new in zip([None, *found], found, strict=False) if old is None or old[1:] != new[1:]]
    return ", ".join(f"{before} and {after} from {overlap} pixels" for overlap, before, after in changes)


def cosines(run, overlaps):
    """Return the cosine with the weights after T1, after T2, at some overlaps as text."""
    after = accuracy[run].query("tested == 0 and phase == 1").groupby("overlap").cosine.mean()
    return ", ".join(f"{value:.2f} at {overlap}" for overlap, value in after.items() if overlap in overlaps)


# %% tags=["hide-input"]
page.answer(
    {7: "confirmed", 13: "confirmed", 6: "undecided", 4: "differs"},
    f"At 12 to 16 shared pixels the sleep changes the accuracy on all four images by {claims[7]} (95 % interval), and at 14 "
    "it brings back everything. Whether it helps up to 16 pixels is undecided: the last overlap that it improves is "
    f"{claims[6].removeprefix('Ours: ')}. With the script of the figure it is task 2 that is missing before the sleep, not task 1.",
)

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True, layout="constrained")
for ax, run in zip(axes, setups, strict=True):
    ax.axvspan(11.5, 16.5, color="0.93", lw=0)
    for phase, (stage, style) in enumerate(zip(stages, styles, strict=True)):
        data = accuracy[run].query("phase == @phase and tested == 0")
        figures.mean_line(ax, data, "overlap", "overall", label=stage, **style)
    ax.axhline(25, color="k", lw=0.8, ls=":")
    ax.set(title=setups[run], xlabel="overlap (pixels)", ylim=(0, 105))
axes[0].annotate("chance", (1, 25), (0, 3), textcoords="offset points")
axes[0].set(ylabel="accuracy on all four images (%)")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
figures.show(
    fig,
    "fig-1b",
    caption="Accuracy on all four images after training on task 1, after training on task 2, and after sleep, for the two "
    "released training settings. Error bars: standard error of the mean over networks (most are smaller than the marks). "
    "Shaded: the overlaps for which the paper reports a recovery, 12 to 16 pixels.",
    alt="Accuracy in percent after task 2 and after the sleep, against the shared pixels. "
    + " ".join(f"With {setups[run].partition(',')[0]} {told(run, 'overall')}." for run in setups),
)

# %% [markdown]
# The images have $10 \times 10$ pixels. About a sixth of them are on; `overlap` of these are shared by all four images
# and the rest belong to one image only. The network has one output neuron per image, $z = W x$, softmax and
# cross-entropy. It sleeps once, after task 2, for 30,000 steps. In the rule of the {doc}`algorithm <algorithm>`, a
# synapse of an output neuron that fires is strengthened when its pixel was on in that step and weakened when it was
# off. From an overlap of 17 on the four images are the same, and nothing can tell them apart.
#
# ## A. The images

# %% tags=["hide-input"]
first, second = patches(15, seed=0)
x = np.concatenate([first.x_test, second.x_test])
on = x > 0
fig, axes = plt.subplots(1, 4, figsize=(7.2, 2.1), layout="constrained")
figures.images(axes, x, ["task 1: image 0", "task 1: image 1", "task 2: image 2", "task 2: image 3"])
figures.show(
    fig,
    "fig-1a",
    caption="The four images with an overlap of 15 pixels. Task 1 is the left pair, task 2 the right pair.",
    alt=f"Four binary images of ten by ten pixels in a row. Each has {on[0].sum()} dark pixels, {on.all(0).sum()} of them "
    "at the same places in all four images.",
    data=pd.DataFrame({f"image {k}": pixels for k, pixels in enumerate(x)}),
)

# %% [markdown]
# ## B. Accuracy against overlap

# %% tags=["hide-input"]
pages.say(f"""
All four images are tested at every stage. The means after task 2 and after the sleep, in percent, with the script of
Fig. 1B: {told("src", "overall")}. With four epochs for task 2: {told("src/four_epochs", "overall")}. The first overlap at
which the sleep helps: {claims[5].removeprefix("Ours: ")} pixels; the last one: {claims[6].removeprefix("Ours: ")}.
""")

# %% [markdown]
# **Which task is lost?** That half of the images are recognised can mean two things, and the two released scripts disagree on which. The paper
# says that task 1 is erased and everything is taken for task 2. That is what happens with four epochs for task 2. With
# the two epochs of the script that draws this figure, it is the other way round: task 1 is still known, and two updates
# are too few to learn task 2. Sleep then repairs a task that was not yet learned rather than one that was forgotten.

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.9), sharey=True, layout="constrained")
for ax, run in zip(axes, setups, strict=True):
    for tested, (name, style) in enumerate(zip(("task 1", "task 2"), styles, strict=False)):
        data = accuracy[run].query("phase == 1 and tested == @tested and overlap < 17")
        figures.mean_line(ax, data, "overlap", "accuracy", label=name, **style)
    ax.set(title=setups[run], xlabel="overlap (pixels)", ylim=(-4, 106))
axes[0].set(ylabel="accuracy after T2 (%)")
axes[0].legend(loc="center left")
before = {run: data.query("phase == 1 and 12 <= overlap < @DISTINCT") for run, data in accuracy.items()}
figures.show(
    fig,
    "fig-1b-tasks",
    caption="Accuracy of each task after training on task 2, before the sleep. Error bars: standard error of the mean over "
    "networks. Overlaps from 17 on, where all images are the same, are left out.",
    alt="Accuracy of each task before the sleep, in percent, a mean over the overlaps of 12 to 16 pixels. "
    + " ".join(
        f"With {setups[run].partition(',')[0]}: task 1 {of[0]:.0f}, task 2 {of[1]:.0f}."
        for run, of in ((run, before[run].groupby("tested").accuracy.mean().reindex([0, 1])) for run in setups)
    ),
)

# %% [markdown]
# ## C. The input to the output neurons
#
# Image 0 of task 1 is shown to the network at every stage. It is classified correctly as long as its own output neuron
# receives more input than those of task 2. With four epochs for task 2, training turns that around. From here on the
# page follows these networks, since they do what the paper describes.

# %% tags=["hide-input"]
pages.say(f"""
At overlaps of 12 and 14 pixels the sleep changes the input to the neuron of task 1 by {claims[8]}, and the larger one of
those to the neurons of task 2 by {claims[9]}: means over networks with their 95 % intervals.
""") if protocol == "released" else pages.say("The inputs are judged for the released scripts.")


# %% tags=["hide-input"]
def networks(overlap):
    """Yield the weights after T1, T2 and SRC, (3, 4, pixels), and the images, (4, pixels), of every network."""
    for record in weights["src/four_epochs"]:
        if record["at"]["overlap"] == overlap:
            images = np.concatenate([task.x_test for task in patches(overlap, record["seed"])])
            yield np.array([phase["weights"][0] for phase in record["metrics"]["phases"]]), images


shown = [12, 14]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True, layout="constrained")
for ax, overlap in zip(axes, shown, strict=True):
    values = {
        stage: {
            "neuron 0 (T1)": [w[k, 0] @ x[0] for w, x in networks(overlap)],
            "neurons 2, 3 (T2), larger": [(w[k, 2:] @ x[0]).max() for w, x in networks(overlap)],
        }
        for k, stage in enumerate(stages)
    }
    colors = dict(zip(values[stages[0]], (figures.COLORS["task 1"], figures.COLORS["task 2"]), strict=True))
    figures.bars(ax, values, colors)
    ax.set(title=f"overlap {overlap} pixels")
axes[0].set(ylabel="input to the output neuron, $w \\cdot x$")
axes[1].legend(loc="upper right", fontsize=9)
figures.show(
    fig,
    "fig-1c",
    caption="Input to output neuron 0 and the larger of the inputs to output neurons 2 and 3 when image 0 is shown, at two "
    "overlaps. Error bars: standard error of the mean over networks.",
    alt=f"Bars of inputs at {shown[-1]} shared pixels. "
    + "; ".join(
        f"{stage}: " + ", ".join(f"{name} {np.mean(runs):.2f}" for name, runs in bars.items())
        for stage, bars in values.items()
    ),
)

# %% [markdown]
# ## D. The weights
#
# The weights into the output neurons, by the kind of pixel they come from. Training on task 2 makes the shared pixels
# excite its neurons, which is what drowns task 1. Pixels that only task 1 uses are mostly off when a neuron of task 2
# fires in the sleep, so these synapses are weakened until they inhibit: task 1 now speaks against the answers of task 2.
# The same happens to the pixels of the other image of task 2.

# %% tags=["hide-input"]
pages.say(f"""
At 14 pixels the weights from pixels of task 1 to neurons of task 2 end at {claims[10]}, as a mean. Of the five other groups
of weights, a share of {claims[11]} stays: their means change by less than a tenth of what
that of the first group does. The neurons of task 1 nearly keep their
weights, as those do that do not fire. Whether none of them fires is undecided: a share of {claims[12]} of their weights
changes at 12 and 14 pixels.
""") if protocol == "released" else pages.say("The weights are judged for the released scripts.")

# %% tags=["hide-input"]
parts = []
for w, x in networks(shown[1]):
    on = x > 0
    kinds = {
        "unique to T1": on[:2].any(0) & ~on[2:].any(0),
        "unique to T2": on[2:].any(0) & ~on[:2].any(0),
        "overlapping": on.all(0),
    }
    for k, stage in enumerate(stages):
        for task, neurons in {"T1 neurons": w[k, :2], "T2 neurons": w[k, 2:]}.items():
            for kind, pixels in kinds.items():
                parts.append(
                    pd.DataFrame({"weight": neurons[:, pixels].ravel(), "kind": kind, "of": task, "stage": stage})
                )
spread = pd.concat(parts)
fig, axes = plt.subplots(3, 2, figsize=(7.2, 5.6), sharex=True, sharey="row", layout="constrained")
bins = np.linspace(spread.weight.min(), spread.weight.max(), 46)
for row, stage in zip(axes, stages, strict=True):
    for ax, task in zip(row, ("T1 neurons", "T2 neurons"), strict=True):
        for kind in kinds:
            values = spread.query("stage == @stage and of == @task and kind == @kind").weight
            share = np.full(len(values), 100 / len(values))
            ax.hist(values, bins, weights=share, color=figures.COLORS[kind], alpha=0.65, label=kind)
        ax.axvline(0, color="k", lw=0.8)
    row[0].set(ylabel=f"{stage}\n% of weights")
axes[0, 0].set(title="into output neurons of task 1")
axes[0, 1].set(title="into output neurons of task 2")
axes[0, 0].legend(fontsize=9, title="pixel", title_fontsize=9)
for ax in axes[2]:
    ax.set(xlabel="weight")
means = spread.groupby(["of", "kind", "stage"]).weight.mean()
figures.show(
    fig,
    "fig-1d",
    caption="Weights into the output neurons of task 1 (left) and task 2 (right) at an overlap of 14 pixels, all networks "
    "together, by the pixel they come from.",
    alt="Histograms of weights by stage and pixel. Mean weights after T1, T2 and SRC: "
    + "; ".join(
        f"{of} from pixels {kind} " + ", ".join(f"{means[of, kind, stage]:.2f}" for stage in stages)
        for of, kind in dict.fromkeys((of, kind) for of, kind, _ in means.index)
    ),
)

# %% [markdown]
# ## Supplement: what is left of task 1 in the weights
#
# The cosine similarity between the weights at a later stage and those after task 1 alone,
#
# ```{math}
# :label: eq-cosine
# \cos\left(W, W_{\mathrm{T1}}\right) = \frac{\sum_{ji} W_{ji}\, W_{\mathrm{T1},ji}}{\lVert W \rVert \, \lVert W_{\mathrm{T1}} \rVert}
# ```
#
# is what the supplement of the paper looks at: it says that after both tasks the similarity is still positive, so that
# the weights keep something of a task that the answers have lost.

# %% tags=["hide-input"]
pages.say(f"""
With four epochs for task 2 that holds at the first overlaps that forget, but not at all: the similarity is
{cosines("src/four_epochs", range(12, 17))} pixels. The sleep recovers task 1 also where it is negative. With two epochs it is
{cosines("src", range(12, 17))} pixels, but there task 1 was never lost. {page.claims(14).sentence.iloc[0]}
""")

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True, layout="constrained")
for ax, run in zip(axes, setups, strict=True):
    ax.axvspan(11.5, 16.5, color="0.93", lw=0)
    for phase in (1, 2):
        data = accuracy[run].query("phase == @phase and tested == 0 and overlap < 17")
        figures.mean_line(ax, data, "overlap", "cosine", label=stages[phase], **styles[phase])
    ax.axhline(0, color="k", lw=0.8)
    ax.set(title=setups[run], xlabel="overlap (pixels)")
axes[0].set(ylabel="cosine similarity")
axes[0].legend(loc="lower left")
figures.show(
    fig,
    "fig-1-cosine",
    caption="Cosine similarity of all weights with those of the same network after task 1. Error bars: standard error of the "
    "mean over networks. Shaded: overlaps at which half of the images are recognised after task 2. Overlaps from 17 on, where all images "
    "are the same, are left out.",
    alt="Cosine similarity after task 2 against the shared pixels. "
    + " ".join(
        f"With {setups[run].partition(',')[0]} {cosines(run, (1, 8, 12, 13, 14, 15, 16))} pixels." for run in setups
    ),
)

# %% [markdown]
# ## Published and reproduced

# %% tags=["hide-input"]
page.verdicts("text/patches/")

# %% [markdown]
# **What explains a difference.** Judged is the script of Fig. 1B. The paper shows a recovery up to 16 pixels, and here it
# stops earlier in part of the networks. With 16 shared pixels an image has about two thirds of a pixel of its own ($10^2/6 - 16$), and how
# that is rounded decides whether there is much to recover. The released script uses the fraction as an index and leaves
# the rounding to the interpreter; here an image has 17 pixels, so one of its own.
#
# The protocol `described` takes the text at its word: no momentum, no gate, no leak, and for want of published ones the
# sleep parameters of the release. The {doc}`status page <status>` has its verdicts: two epochs then hardly forget, and
# a sleep with these parameters does harm, since without the gate it also weakens what is strong.
#
# **What else differs.** The text says that no momentum was used; the released scripts use 0.5, and the velocity of
# task 1 carries into task 2. The text speaks of $10 \times 10$ pixels and an overlap of 12 in panel C; the script of
# panels C and D has $11 \times 11$ pixels. At that size an overlap of 12 is too small to forget anything:

# %% tags=["hide-input"]
rows = []
for run, name in {**setups, "src/panels_cd": "script of Fig. 1C, D (11 × 11)"}.items():
    for overlap, group in summary.phases(weights.get(run, [])).groupby("overlap"):
        means = group.groupby(["phase", "tested"])["accuracy"].mean()
        rows.append(
            {"setting": name.replace("\n", " "), "overlap": overlap}
            | {f"{stage}: task {k + 1}": f"{means[p, k]:.0f} %" for p, stage in enumerate(stages) for k in (0, 1)}
        )
tables.plain(rows)

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("overlap_max 20 -p seeds 10")
