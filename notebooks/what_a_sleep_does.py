# %% [markdown]
# # What a sleep does
#
# **Claim.** Sleep brings old tasks back by replaying them: what the network has learned fires again, and is strengthened
# {cite}`tadros2022`.
#
# Here the sleep is replaced by its closed form, which replays nothing. From the bottom layer up, the inhibition of every
# hidden neuron grows by one number, just so far that the mean input no longer excites it.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures, tables
from srclib.verdicts import statistics

page = pages.open("what_a_sleep_does", profile=profile, seeds=seeds)
released = page.collect("closed_form")
tuned = page.under("tuned").collect("closed_form")
sorts = [(protocol, dataset) for protocol, of in (("released", released), ("tuned", tuned)) for dataset in of.datasets]


def finals(protocol, dataset, run):
    """Return the final accuracies of the networks in percent."""
    return np.array(summary.final((released if protocol == "released" else tuned)[dataset, run]))


def gap(protocol, dataset):
    """Return by how many points the closed form ends above the sleep, one number of every network."""
    return finals(protocol, dataset, "closed_form") - finals(protocol, dataset, "src")


def change(protocol, dataset):
    """Return the mean of `gap` with its interval as text."""
    return figures.change(finals(protocol, dataset, "closed_form"), finals(protocol, dataset, "src"))


def listed(names):
    """Return names as a list in words."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "none"


found = {sort: statistics.likeness(gap(*sort)) for sort in sorts}
by_kind = {
    kind: listed([f"{figures.DATASETS[d]} ({p}, {change(p, d)})" for (p, d), k in found.items() if k == kind])
    for kind in ("alike", "apart", "undecided")
}
pages.say(
    f"**Verdict.** Points of final accuracy, closed form less sleep, mean over the same networks [95 % interval]. "
    f"Alike, with an interval within ±3 points: {by_kind['alike']}. Apart: {by_kind['apart']}. "
    f"Undecided: {by_kind['undecided']}."
)

# %% tags=["hide-input"]
rows = {"no sleep": "sequential", "closed form": "closed_form", "sleep": "src"}
colors = [figures.COLORS["published"], figures.COLORS["task 1"], figures.COLORS["sleep"]]
across = min(3, len(sorts))
fig, axes = plt.subplots(
    -(-len(sorts) // across), across, figsize=(10, 1.9 * -(-len(sorts) // across)), sharex=True, sharey=True,
    squeeze=False, layout="constrained",
)  # fmt: skip
for ax, (protocol, dataset) in zip(axes.flat, sorts, strict=False):
    for row, (run, color) in enumerate(zip(rows.values(), colors, strict=True)):
        figures.dots(ax, row, finals(protocol, dataset, run), color, mean=True)
    ax.set(title=f"{figures.DATASETS[dataset]}, {protocol}", xlim=(0, 100))
    ax.grid(axis="x", color="0.92")
for ax in axes.flat[len(sorts) :]:
    ax.set_axis_off()
figures.name_rows(axes[0, 0], rows)
fig.supxlabel("final accuracy (%)", fontsize=11)
figures.show(
    fig,
    "fig-closed-form",
    caption="Final accuracy over all classes without a sleep, with the closed form in its place, and with the sleep; one dot per network, the same networks and task orders in all rows; lines: means.",
    alt="A panel for each data set and protocol with a dot for each network; means in percent of no sleep, closed form and "
    "sleep: "
    + "; ".join(
        f"{figures.DATASETS[d]}, {p}, "
        + ", ".join(f"{statistics.mean(finals(p, d, run)):.0f}" for run in rows.values())
        for p, d in sorts
    ),
)

# %% tags=["hide-input"]
tables.plain(
    [
        {
            "data set": figures.DATASETS[dataset],
            "protocol": protocol,
            "networks": len(gap(protocol, dataset)),
            **{label: figures.spread(finals(protocol, dataset, run)) for label, run in rows.items()},
            "closed form − sleep": change(protocol, dataset),
            "which is": kind,
        }
        for (protocol, dataset), kind in found.items()
    ]
)

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks; the difference with its 95 % interval, paired by
# network (Student's t). *alike*: the interval lies within ±3 points; *apart*: it excludes zero; else *undecided*.
#
# ## The closed form
#
# With $m$ the mean input, $a_0 = m$ and $N_j$ the inputs whose weight to neuron $j$ is negative, for every neuron $j$ of
# hidden layer $l$, from the bottom up,
#
# ```{math}
# :label: eq-closed-form
# z_j = \sum_i W_{ji} a_i, \qquad
# \kappa_j = \frac{\max(0, z_j)}{\sum_{i \in N_j} a_i}, \qquad
# W_{ji} \leftarrow W_{ji} - \kappa_j \;\text{ for } i \in N_j ,
# ```
#
# and the next layer is driven by $a_l = \max(0, z)$: by what this one did before. There are no spikes, no noise, no steps
# and no parameter, and it takes one product of a matrix and a vector for each layer. It follows from the rule that the
# released code runs:
#
# 1. **Who fires.** Between two spikes a potential drifts by the gain times the mean drive $z_j$, and its leak is small. A
#    neuron with $z_j > 0$ fires over and over, one with $z_j < 0$ hardly ever.
# 2. **What the gate leaves free.** The gate $g(w) = 2\,\sigma(-w/0.001)$ is 0 for all positive weights but the smallest,
#    and 2 for all negative ones. Inputs fire so rarely that nearly every spike of the neuron is a depression. So each of
#    its spikes lowers all its negative weights by the same number, and leaves the positive ones alone.
# 3. **Where it ends.** Until the drive is zero. How many spikes that takes, and with it `inc`, `dec`, gain and threshold,
#    no longer matters.
#
# Anyone can call it in place of a sleep: {func}`srclib.sleep.settle` takes a network and the mean input, and nothing has
# to be searched.


# %% tags=["hide-input"]
def milliseconds(run):
    """Return the time of all changes of the weights in a run on MNIST, released, by network."""
    return [1000 * record["metrics"]["seconds"]["plugins"] for record in released["mnist", run]]


pages.say(
    f"On MNIST, as released, all closed forms of a run took {statistics.mean(milliseconds('closed_form')):,.0f} ms, of "
    f"which most is the mean of the images; all sleeps {statistics.mean(milliseconds('src')):,.0f} ms."
)

# %% [markdown]
# ## At the same moment of the same network
#
# Before each sleep of a run the weights are copied. One copy sleeps, the other takes the closed form, and what they change
# is compared. The run goes on from the one that slept.

# %% tags=["hide-input"]
each = [record["metrics"]["measures"]["agreement"] for record in page.collect("closed_form_agreement").all()]
sleeps = [found["task"] + 1 for found in each[0]]


def layered(key, layer):
    """Return a number of every network and sleep, (networks, sleeps), nan where it is not known."""
    return np.array([[found["layers"][layer][key] for found in network] for network in each], float)


def whole(key):
    return 100 * np.array([[found[key] for found in network] for network in each], float)


fig, axes = plt.subplots(1, 3, figsize=(10, 3.1), layout="constrained")
for ax, key, title in zip(
    axes, ("neurons", "weights"), ("changes by neuron", "changes of single weights"), strict=False
):
    for layer in range(2):
        mean, error = statistics.mean_and_error(layered(key, layer))
        ax.errorbar(sleeps, mean, error, marker="o", capsize=2, label=f"hidden layer {layer + 1}")
    ax.set(title=title, xlabel="sleep after task", ylabel="correlation", ylim=(-0.2, 1), xticks=sleeps)
for key, label, color in (("sleep", "sleep", "sleep"), ("closed_form", "closed form", "task 1")):
    mean, error = statistics.mean_and_error(whole(key))
    axes[2].errorbar(sleeps, mean, error, marker="o", capsize=2, label=label, color=figures.COLORS[color])
axes[2].set(
    title="accuracy right after", xlabel="sleep after task", ylabel="accuracy (%)", ylim=(0, 100), xticks=sleeps
)
for ax in axes:
    ax.grid(axis="y", color="0.92")
axes[0].legend()
axes[2].legend()
figures.show(
    fig,
    "fig-closed-form-agreement",
    caption="Each sleep of MNIST, as released, beside its closed form. Left: correlation over neurons of the mean change of their weights. Middle: over single weights. Right: accuracy on the tasks so far right after either. Means over networks, error bars: standard error.",
    alt="Three panels against the number of the sleep: correlations of the changes by neuron, means over sleeps "
    f"{np.nanmean(layered('neurons', 0)):.2f} in hidden layer 1 and {np.nanmean(layered('neurons', 1)):.2f} in hidden layer 2; of "
    f"single weights, {np.nanmean(layered('weights', 0)):.2f} and {np.nanmean(layered('weights', 1)):.2f}; and the accuracies "
    "right after the sleep and right after the closed form.",
)


# %% tags=["hide-input"]
def ends_of(values, digits=2):
    """Return the means of the first and of the last sleep in words."""
    first, last = (statistics.mean(values[:, i]) for i in (0, -1))
    return f"{first:.{digits}f} (first sleep) and {last:.{digits}f} (last)"


pages.say(
    f"**Where they agree.** In the first hidden layer the changes of neurons correlate with {ends_of(layered('neurons', 0))}, "
    f"those of single weights with {ends_of(layered('weights', 0))}. Of all that the sleep changes there, "
    f"{100 * np.nanmean(layered('negative', 0)):.0f} % falls on negative weights, and "
    f"{100 * np.nanmean(layered('excited', 0)):.0f} % on neurons that the mean input excites. Right after the last sleep both "
    f"give {statistics.mean(whole('same')[:, -1]):.0f} % of the test images the same class.\n\n"
    f"**Where they part.** In the second hidden layer the correlation by neuron is {ends_of(layered('neurons', 1))}. The "
    f"sleep's changes are larger, {ends_of(layered('size', 0), 1)} times those of the closed form in the first layer: noise "
    f"goes on exciting neurons, one spike at a time, after their mean drive is gone. The sleep changes the output layer, "
    f"which the closed form leaves alone. So the accuracy right after is not the same: {ends_of(whole('sleep'), 0)} % after the "
    f"sleep, {ends_of(whole('closed_form'), 0)} % after the closed form of a network that slept before."
)

# %% [markdown]
# ## Is it replay?
#
# If it is, who fires, and when, should matter. Controls on the same networks, each with the released sleep or the closed
# form as its base:
#
# - **200 steps**: every sleep ends after its first 200 steps, of 15,000 to 35,000.
# - **other neurons**: what the closed form changed is dealt out anew among the neurons of each hidden layer.

# %% tags=["hide-input"]
controls = page.collect("closed_form_controls")
labels = {"src/steps_200": "sleep, 200 steps", "closed_form+shuffled": "closed form, other neurons"}
base = dict(
    zip([r["seed"] for r in released["mnist", "sequential"]], finals("released", "mnist", "sequential"), strict=True)
)


def gains(records):
    """Return by how many points each network ends above itself without a sleep."""
    return np.array([final - base[r["seed"]] for r, final in zip(records, summary.final(records), strict=True)])


def share(values, whole):
    """Return which part of the gain of the same networks some gains are, as text."""
    return f"{100 * statistics.mean(values) / statistics.mean(whole[: len(values)]) + 0.0:.0f} %".replace("-0 %", "0 %")


gained = {"sleep": gains(released["mnist", "src"]), "closed form": gains(released["mnist", "closed_form"])}
gained |= {label: gains(controls["mnist", run]) for run, label in labels.items() if ("mnist", run) in controls}
fig, ax = plt.subplots(figsize=(7.2, 0.42 * len(gained) + 1), layout="constrained")
for row, (label, values) in enumerate(gained.items()):
    color = figures.COLORS["sleep" if label.startswith("sleep") else "task 1"]
    figures.dots(ax, row, values, color, ms=4, alpha=0.4)
    found_mean = statistics.of_mean(statistics.Sample.of(values))
    if np.isfinite(found_mean.half):
        ax.plot([found_mean.low, found_mean.high], [row, row], color="k", lw=1.5)
    ax.plot(statistics.mean(values), row, "D", color=color, mec="k", ms=6)
figures.name_rows(ax, gained)
ax.axvline(0, color="0.6", lw=0.8)
ax.set(xlabel="gain over no sleep (points of accuracy)")
ax.grid(axis="x", color="0.92")
figures.show(
    fig,
    "fig-closed-form-controls",
    caption="Gain in final accuracy over the same networks without a sleep, MNIST as released: mean and 95 % interval; dots: networks.",
    alt="Gain in accuracy over no sleep, one row for each control, in points: "
    + "; ".join(f"{label} {statistics.mean(values):.0f}" for label, values in gained.items()),
)

# %% tags=["hide-input"]
tables.plain(
    [
        {
            "control": label,
            "networks": len(values),
            "gain": figures.change(values, np.zeros(len(values))),
            "of the sleep's gain": share(values, gained["sleep"]),
            "less the sleep's": figures.change(values, gained["sleep"][: len(values)]),
        }
        for label, values in gained.items()
    ]
)


# %% tags=["hide-input"]
def says(label, base):
    """Return the share of the gain of a base that a control keeps, and whether it falls short of it, in words."""
    values = gained[label]
    whole = gained[base][: len(values)]
    kind = statistics.likeness(values - whole)
    words = {"alike": "as good as all", "apart": "not all", "undecided": "how much less is undecided"}[kind]
    return f"{share(values, whole)} ({words})"


pages.say(
    f"The first 200 steps bring {says('sleep, 200 steps', 'sleep')} of the sleep's gain, and the closed form keeps "
    f"{says('closed form, other neurons', 'closed form')} of its own when its changes go to other neurons."
)

# %% [markdown]
# Who is changed matters: on other neurons the same changes bring nothing. But it need not be found by replay. A product of
# a matrix and the mean input tells which neurons it excites, most of all those of what was learned last, and that they
# lose this drive is what lets old tasks come back. {doc}`fig6_replay` shows that the sleeping network falls silent within
# a few hundred steps, {doc}`searches` that weakening alone does
# nearly all. It is a downscaling of what neurons receive, as the hypothesis of synaptic homeostasis has it
# {cite}`tononi2003`, here by inhibition.
#
# ## Where it fails, and what it leaves open


# %% tags=["hide-input"]
alike = np.corrcoef(finals("released", "mnist", "src"), finals("released", "mnist", "closed_form"))[0, 1]
pages.say(
    "With the tuned awake phase the sleep that was searched for it ends above the closed form on MNIST: by "
    f"{figures.change(finals('tuned', 'mnist', 'src'), finals('tuned', 'mnist', 'closed_form'))} points. That sleep is short "
    "and leaves much excitation in place, and nothing was searched for the closed form. Not explained are the second hidden "
    "layer, where later sleeps change little, and the output layer. Nor does the closed form tell which network sleeps well: "
    f"over the networks of MNIST, released, the final accuracies of both correlate with {alike:.2f}. Other data sets, depths "
    "and spiking networks have not been computed yet."
)

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("seeds 2")
