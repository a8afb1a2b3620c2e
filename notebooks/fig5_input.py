# %% [markdown]
# # Figure 5: what sleep does to the input of single neurons
#
# **Claim.** In the first hidden layer, sleep lowers the input to neurons of the new task more than that to neurons of
# the old task. In the second it raises the input to neurons of the old task and lowers that to neurons of the new one
# {cite}`tadros2022`.
#
# The networks are those of {doc}`fig4_correlations`. When the network is awake, neuron $j$ of a layer receives from an
# image with activity $a_i$ in the layer below
#
# ```{math}
# :label: eq-received
# h_{ij} = \sum_k W_{jk}\, a_{ik}
# ```
#
# and $\Delta h_j$ is the mean of $h_{ij}$ over the test images of a task after the sleep less that before it. A neuron
# belongs to a task if it is among the 100 of its layer that spike most for the task's images before the sleep, when
# each image is passed 25 times through the spiking network.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says
reading = "active"  # which neurons belong to a task: active, preferring or after, as explained below

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from srclib import pages
from srclib.pages import figures, tables
from srclib.verdicts import statistics

of = pages.one_of(reading, "active", "preferring", "after")
given = {"profile": profile, "protocol": protocol, "seeds": seeds, "reading": of}
page = pages.open("fig5_input", experiments="fig4_two_tasks", **given)
records = {view.protocol: view.records["mnist", "src"] for view in (page, page.other)}


# %% tags=["hide-input"]
def measured(group, name):
    """Return a measure of every network."""
    return [record["metrics"]["measures"][name] for record in group]


def received(group, reading, layer, task, key):
    """Return what every network measured of the neurons of a task."""
    return [network[reading][layer]["tasks"][task][key] for network in measured(group, "received")]


def numbers(values):
    """Return values as an array, nan for what is missing."""
    return np.array(values, float)


tasks = ["task 1", "task 2"]
palette = [figures.COLORS[task] for task in tasks]


# %% [markdown]
# ## The change of the input
#
# Each task's neurons are looked at while the network sees that task's own images.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels, hidden layers 1 and 2, with the distribution of the change of input over neurons of task 1 and of task 2 and one dot per network for its mean. In layer 1 both tasks lose input, about 0.35 for task 1 and 0.5 for task 2. In layer 2 both lose input too, and task 1 loses more, about 0.3 against 0.15."}, "figure": {"caption": "Change of the mean input to each of the 100 neurons of a task by the sleep, while the network sees test images of that task: distribution over the neurons of all networks, with the means of the single networks (dots) and their mean ± standard deviation over networks. The input has the unit of the network's activity.", "name": "fig-5"}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.6), layout="constrained")
for layer, ax in enumerate(axes):
    for task, (name, color) in enumerate(zip(tasks, palette, strict=True)):
        every = numbers(
            [v for network in received(records[protocol], reading, layer, task, "changes") for v in network]
        )
        means = numbers(received(records[protocol], reading, layer, task, "change"))
        if len(every):
            body = ax.violinplot(every, [task], widths=0.8, showextrema=False)["bodies"][0]
            body.set(facecolor=color, alpha=0.35)
        ax.plot(task + np.linspace(-0.12, 0.12, len(means)), means, "o", color=color, mec="k", mew=0.6, ms=6)
        if len(means) > 1:
            mean, sd = statistics.mean(means), statistics.sd(means)
            ax.errorbar(task + 0.25, mean, sd, fmt="_", color="k", capsize=3, ms=10)
    ax.axhline(0, color="k", lw=0.8)
    ax.set(title=f"hidden layer {layer + 1}", xlabel="neurons of", xlim=(-0.6, 1.6))
    ax.set_xticks([0, 1], ["task 1 (0, 1)", "task 2 (2, 3)"])
axes[0].set(ylabel="change of the input, $\\Delta h$")
plt.show()

# %% tags=["hide-input"]
rows = []
for name, group in records.items():
    for layer in (0, 1):
        row = {"protocol": name, "hidden layer": layer + 1}
        for task, title in enumerate(tasks):
            means = (statistics.mean(numbers(received(group, reading, layer, task, k))) for k in ("before", "after"))
            row[f"{title}: before → after"] = " → ".join(f"{mean:.2f}" for mean in means)
        tests = [network[reading][layer]["test"] for network in measured(group, "received")]
        row["task 2 less task 1, change"] = f"{statistics.mean(numbers([t['difference'] for t in tests])):+.2f}"
        row["Cohen's d"] = f"{statistics.mean(numbers([t['d'] for t in tests])):+.1f}"
        row["networks with p < 0.05"] = f"{sum((t['p'] or 1) < 0.05 for t in tests)} of {len(tests)}"
        rows.append(row)
tables.plain(rows)

# %% [markdown]
# The tests are two-sided t-tests over the neurons of one network.
#
# ## Published and reproduced
#
# The figure prints no numbers, so directions are judged, over networks.

# %% tags=["hide-input"]
page.verdicts("text/mnist_two_tasks/src/input_change", both=True)

# %% [markdown]
# **Verdict.** The first half of the claim is confirmed. The second is not, with the neurons chosen as the text says: in
# the second layer the neurons of the old task lose input as well.
#
# ## What explains the difference: which neurons belong to a task
#
# Before the sleep most of the neurons that answer to one task answer to the other too, so the two sets of 100 are
# largely the same neurons. The text can be read in more ways than one, and the code of this figure was not released.
#
# - *active*, as above: the neurons that spike most for the task's images.
# - *preferring*: only neurons that spike more for the task than for the other. The sets have no neuron in common.
# - *after*: as the first, in the network after the sleep.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels, layers 1 and 2 by two protocols, of the change of the input to neurons of task 1 and task 2 under three ways to choose them. In layer 1 all changes are negative, and task 2 loses more in every case. In layer 2 task 1 loses input if its neurons are chosen by activity before the sleep, less if they must also prefer the task. It gains a little if they are chosen by activity after the sleep, in all networks of the released protocol and in some of the other one."}, "figure": {"caption": "Mean change of the input to the neurons of a task by the way in which these are chosen, one dot per network, bars for means; below each pair, how many of the 100 neurons belong to both tasks (mean over networks).", "name": "fig-5-readings"}}
readings = {
    "active": "most active\nfor the task,\nbefore the sleep",
    "preferring": "most active of those\nthat prefer the task,\nbefore the sleep",
    "after": "most active\nfor the task,\nafter the sleep",
}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 6), sharex=True, sharey="row", layout="constrained")
for row, (name, group) in zip(axes, records.items(), strict=True):
    for layer, ax in enumerate(row):
        for place, way in enumerate(readings):
            for task, (label, color) in enumerate(zip(tasks, palette, strict=True)):
                means = numbers(received(group, way, layer, task, "change"))
                x = place + (task - 0.5) * 0.34
                ax.bar(x, np.nan_to_num(statistics.mean(means)), 0.32, color=color, alpha=0.45)
                ax.plot([x] * len(means), means, "o", color=color, mec="k", mew=0.5, ms=4.5)
            shared = statistics.mean([network[way][layer]["shared"] for network in measured(group, "received")])
            ax.annotate(f"{shared:.0f} shared", (place, 0.02), xycoords=("data", "axes fraction"), ha="center", size=9)
        ax.axhline(0, color="k", lw=0.8)
        ax.margins(y=0.18)
        ax.set(title=f"{name}, hidden layer {layer + 1}")
        ax.set_xticks(range(3), readings.values(), size=8.5)
    row[0].set(ylabel="change of the input, $\\Delta h$")
handles = [plt.Rectangle((0, 0), 1, 1, color=color, alpha=0.6) for color in palette]
fig.legend(handles, [f"neurons of {task}" for task in tasks], loc="outside lower center", ncols=2)
plt.show()

# %% [markdown]
# By the released protocol the published pattern, all of it, comes out when neurons are chosen by their activity
# **after** the sleep. That choice favours what it is to show: a neuron is more likely to be among the most active ones
# if the sleep raised its input. By the paper's text the old task's neurons gain nothing on average even then. Chosen
# beforehand, they lose input in the second layer by either protocol. What hardly hangs on the choice is that the
# neurons of the new task lose more, with one exception: the second layer of the released networks, where the two sets
# of most active neurons are nearly the same.

# %% [markdown]
# ## Weights through a sleep
#
# {doc}`fig1_patches` shows what a sleep does to the weights of a network with one layer: it weakens, by inhibition,
# what speaks for the wrong answer. Is it the same in a network of three layers and two million synapses?

# %% tags=["hide-input"]
rows = []
for name, group in records.items():
    for layer in range(3):
        found = [network["layers"][layer] for network in measured(group, "synapses")]

        def mean(key, found=found):
            return statistics.mean([entry[key] for entry in found])

        row = {"protocol": name, "weights into": ["hidden layer 1", "hidden layer 2", "output"][layer]}
        row["synapses"] = f"{mean('size'):,.0f}"
        row["changed"] = f"{(mean('raised') + mean('lowered')) / mean('size'):.0%}"
        row["of these lowered"] = f"{mean('lowered') / max(mean('raised') + mean('lowered'), 1):.1%}"
        row["sum of increases"] = f"{mean('gain'):+,.1f}"
        row["sum of decreases"] = f"{mean('loss'):+,.0f}"
        row["neurons with a change"] = f"{mean('neurons'):,.0f}"
        rows.append(row)
tables.plain(rows)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three histograms, one per layer of weights, of the weights that the sleep changed, before and after it, with a logarithmic count. Before the sleep they are gathered around zero. After it many have moved to the left, to negative weights, the peak just above zero remains, and a few have become strongly positive."}, "figure": {"caption": "The weights that the sleep changed, before and after it, number per bin in the first network. Strong positive weights hardly take part: the gate of the released code freezes them.", "name": "fig-5-weights"}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.8), layout="constrained")
first = measured(records[protocol], "synapses")[0]["layers"]
for ax, layer, title in zip(axes, first, ("hidden layer 1", "hidden layer 2", "output"), strict=True):
    edges = np.linspace(-layer["edge"], layer["edge"], len(layer["before"]) + 1)
    ax.stairs(layer["before"], edges, fill=True, color="0.75", label="before the sleep")
    ax.stairs(layer["after"], edges, color=figures.COLORS["sleep"], lw=1.5, label="after the sleep")
    ax.axvline(0, color="k", lw=0.8)
    ax.set(title=f"into {title}", xlabel="weight", yscale="log", ylim=(0.8, None))
axes[0].set(ylabel="changed synapses")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %% [markdown]
# A sleep is almost pure depression. A neuron that fires strengthens the few inputs that fired with it and weakens the
# hundreds that did not. It soon receives so little that it falls silent ({doc}`fig6_replay`), and the neurons that were
# most active are the ones that lose most. Between groups of neurons that prefer a task:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four two by two maps of mean weights from neurons that prefer task 1 or 2 to those above that prefer task 1 or 2, left before and right after the sleep, for weights into hidden layer 2 and into the output units. Into layer 2 the weights to task 2 neurons become clearly negative when they come from task 1 neurons, and less so when they come from task 2 neurons. Into the output the weights to task 2 units shrink, those to task 1 units do not change."}, "figure": {"caption": "Mean weight from the 100 neurons that prefer a task to those above that prefer one, mean over networks; an output unit belongs to the task of its digit. After Figure 1D.", "name": "fig-5-blocks"}}
fig, axes = plt.subplots(1, 4, figsize=(7.2, 2.5), layout="constrained")
blocks = [
    [b[layer] for b in (network["blocks"] for network in measured(records[protocol], "synapses"))] for layer in (0, 1)
]
for ax, (layer, when) in zip(axes, ((0, "before"), (0, "after"), (1, "before"), (1, "after")), strict=True):
    mean, _ = statistics.mean_and_error([1000 * numbers(network[when]) for network in blocks[layer]])
    scale = 1000 * max(np.nanmax(np.abs(numbers(n[w]))) for n in blocks[layer] for w in ("before", "after"))
    style = {"annot": True, "fmt": "+.1f", "cmap": "RdBu_r", "vmin": -scale, "vmax": scale, "cbar": False}
    sns.heatmap(mean, ax=ax, square=True, linewidths=0.5, xticklabels=[1, 2], yticklabels=[1, 2], **style)
    ax.set(title=f"{when},\ninto {('hidden 2', 'output')[layer]}", xlabel="to task")
    ax.tick_params(length=0)
axes[0].set(ylabel="from task")
fig.supxlabel("mean weight × 1000", size=10)
plt.show()

# %% [markdown]
# This is the mechanism of Figure 1 again: from neurons of the old task the sleep makes inhibition of neurons of the new
# one, so that an old image no longer excites the new answer. The synapses of neurons that stay silent, those of the old
# task most of all, are left alone.
#
# **Is the old solution still there?** The supplement of the paper compares the weights with those of a network that
# learned the first task alone, {eq}`eq-cosine`. Here each phase is compared with the network that learned task 1 only
# and with one that learned task 2 only from the same initial weights. Since all of them begin at the same random
# weights, the cosine of the weights themselves is high by birth; the cosine of the *changes* since the beginning is
# free of that.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels of cosine similarities over the phases of a run. Left, for all weights: from 1 it falls in steps, most in the first sleep, to about 0.65, the same for both tasks. Right, for the changes since the initial weights: 1 for task 1 after training on it, then about 0.1 after the first sleep and little more than zero after the last one, near zero for task 2 throughout."}, "figure": {"caption": "Cosine similarity with a network that learned task 1 or task 2 only, from the same initial weights, after every phase: of all weights (left) and of their changes since the initial weights (right). Mean over networks; error bars: standard error of the mean.", "name": "fig-5-cosine"}}
found = measured(records[protocol], "synapses")
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), layout="constrained")
for ax, key, title in zip(axes, ("cosine", "cosine_of_change"), ("of the weights", "of their changes"), strict=True):
    ran = [f"{phase['kind']} {phase['task'] + 1}" for phase in records[protocol][0]["metrics"]["phases"]]
    phases = ran if key == "cosine_of_change" else ["initial", *ran]
    for task, (label, color, marker) in enumerate(zip(tasks, palette, "os", strict=True)):
        values = numbers([[network[key][phase][task] for phase in phases] for network in found])
        mean, error = statistics.mean_and_error(values)
        ax.errorbar(range(len(phases)), mean, error, color=color, marker=marker, ms=5, capsize=2)
        ax.plot([], [], color=color, marker=marker, ms=5, label=f"{label} alone")
    ax.axhline(0, color="k", lw=0.8)
    ax.set(title=f"cosine {title}", ylim=(-0.15, 1.05), xlabel="phase: training (T) or sleep (S)")
    ax.set_xticks(range(len(phases)), [p[0].upper() + p[-1] if p != "initial" else "start" for p in phases])
axes[0].set(ylabel="cosine similarity")
axes[0].legend(title="with the network of", loc="lower left")
plt.show()

# %% [markdown]
# By the released protocol the first sleep alone takes the cosine of the changes from 1 to below 0.1: it moves the
# weights much further than the training did. What is left of either solution is a small part of all that changed. That
# the network recognises the old digits again is no return to the old weights.

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("reading preferring")
