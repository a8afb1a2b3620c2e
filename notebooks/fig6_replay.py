# %% [markdown]
# # Figure 6: replay
#
# **Claim.** Driven by completely random input, the sleeping network fires with the neurons that it used when awake:
# those specific to a digit fire more than a random subset, and those of the digits learned last fire most
# {cite}`tadros2022`.
#
# The networks are those of {doc}`fig4_correlations`, just before their last sleep. Neurons specific to a digit are the
# 100 of a hidden layer that spike most when test images of the digit are passed 25 times each through the spiking
# network. Then the network sleeps, plasticity included, and the noise knows nothing of the data: every pixel is equally
# likely to fire, with the brightness that the mean image has on average. The paper gives no rate for it. The samples of
# single neurons' rates, $r$ and $s$, are compared by Student's t-test, and by Cohen's effect size
#
# ```{math}
# :label: eq-cohen
# d = \frac{\bar r - \bar s}{\mathrm{sd}_\text{pooled}}
# ```

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says
reading = "active"  # which neurons are specific to a digit: active or preferring, as explained below

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.colors import to_hex

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures, tables
from srclib.pages.player import Replay, player
from srclib.verdicts import published, statistics

given = {"profile": profile, "protocol": protocol, "seeds": seeds}
of = pages.one_of(reading, "active", "preferring")
page = pages.open("fig6_replay", experiments="fig4_two_tasks", reading=of, **given)

# %% tags=["hide-input"]
records = {view.protocol: view.records["mnist", "src"] for view in (page, page.other)}
digits = ["0", "1", "2", "3"]
palette = [figures.COLORS[key] for key in ("task 1", "task 1", "task 2", "task 2", "published")]


def measured(group, name="replay"):
    """Return a measure of every network."""
    return [record["metrics"]["measures"][name] for record in group]


def numbers(values):
    """Return values as an array, nan for what is missing."""
    return np.array(values, float)


def corrected(tests, key="p"):
    """Return the p-values of tests, corrected for ten: four digits and one comparison of the tasks, in two layers."""
    return statistics.bonferroni([test[key] for test in tests], 10)


def rates(group):
    """Draw the firing rates of the digits' neurons and of the random subset, one panel per hidden layer."""
    _, axes = plt.subplots(1, 2, figsize=(7.2, 3.6), layout="constrained")
    for layer, ax in enumerate(axes):
        found = [network["random"][layer] for network in measured(group)]
        for place, (name, color) in enumerate(zip([*digits, "random\nsubset"], palette, strict=True)):
            digit = place < len(digits)
            pairs = numbers([n[reading]["rates"][place] if digit else n["rate_subset"] for n in found])
            (mean, sd), _ = statistics.mean_and_error(pairs)
            style = {"color": color, "alpha": 0.5, "capsize": 3, "error_kw": {"lw": 1}}
            ax.bar(place, mean, 0.8, yerr=[[min(sd, mean)], [sd]], **style)
            ax.plot(place + np.linspace(-0.2, 0.2, len(pairs)), pairs[:, 0], "o", color=color, mec="k", mew=0.5, ms=5)
            if digit:
                tests = [n[reading]["subset"][place] for n in found]
                above = sum((corrected(tests) < 0.05) & (numbers([test["d"] for test in tests]) > 0))
                at = {"textcoords": "offset points", "ha": "center"}
                ax.annotate(f"{above}/{len(tests)}", (place, mean + sd), (0, 3), **at)
        ax.set(title=f"hidden layer {layer + 1}", xlabel="neurons of digit")
        ax.set_xticks(range(len(digits) + 1), [*digits, "random\nsubset"])
        ax.margins(y=0.12)
    axes[0].set(ylabel="firing rate asleep (Hz, a step is 1 ms)")
    plt.show()


# %% [markdown]
# ## Firing rates in sleep

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars of firing rates in two panels, hidden layers 1 and 2, for the neurons of the digits 0, 1, 2 and 3 and a random subset. In both layers the neurons of every digit fire several times as often as the random subset. The digits 0, 2 and 3 differ little among each other; digit 1 has about half of their rate in layer 1."}, "figure": {"caption": "Firing rates during a sleep driven by completely random input: neurons specific to each digit, blue for task 1 and orange for task 2, and a random subset. Bars and error bars: mean and standard deviation over neurons, as in the paper, averaged over networks; dots: single networks. Above: in how many networks the digit's neurons fire significantly more than the random subset (two-sided t-test, p < 0.05 after Bonferroni correction for all ten tests).", "name": "fig-6"}}
rates(records[protocol])

# %% [markdown]
# The rates are low, about one spike per neuron in the whole sleep. What is counted is hardly a rate: nearly all of it
# happens at the beginning.
#
# ## The sleep as it runs

# %% tags=["hide-input"] mystnb={"image": {"alt": "Raster of a sleep in two panels, hidden layers 1 and 2, with rows of neurons sorted into five bands, for the digits 0 to 3 and a random subset, over a logarithmic axis of steps. The digit bands are full of spikes from about step 10 to 200, thin out and are nearly empty after step 1,000. The random band holds only a few spikes."}, "figure": {"caption": "Spikes of the first network in the sleep driven by completely random input. Each band has the 100 neurons of a digit, or of the random subset; a neuron that belongs to several digits stands in each of their bands. The axis of steps is logarithmic.", "name": "fig-6-raster"}}
first, length = measured(records[protocol])[0], records[protocol][0]["metrics"]["phases"][-1]["steps"]
groups = [
    [*first["neurons"][reading][layer], first["subset"][layer]] for layer in range(2)
]  # [layer][digit, then random] neurons
fig, axes = plt.subplots(2, 1, figsize=(7.2, 5.4), sharex=True, layout="constrained")
for layer, ax in enumerate(axes):
    steps, neurons = (numbers(first["random"][layer]["events"][key]) for key in ("steps", "neurons"))
    for band, (members, color) in enumerate(zip(groups[layer], palette, strict=True)):
        for row, neuron in enumerate(members):
            fired = steps[neurons == neuron] + 1
            ax.plot(fired, np.full(len(fired), 100 * band + row), ".", color=color, ms=4)
        ax.axhline(100 * band - 0.5, color="0.8", lw=0.8)
    ax.set(xscale="log", xlim=(1, length), ylim=(500, -1), ylabel=f"hidden layer {layer + 1}")
    ax.set_yticks(range(50, 500, 100), [*digits, "random"])
    ax.tick_params(axis="y", length=0)
axes[1].set(xlabel="step of the sleep")
plt.show()

# %% [markdown]
# **Play it.** Every dot is a neuron, in its block. Move the slider or press Play. The line above it says how many
# spikes there were and how many of the test digits the network would recognise if it were woken now. The drive can be
# changed from completely random input to that of the sleep that the network really had.

# %% tags=["hide-input"]
course = measured(records[protocol], "course")[0]
replays = {}
for label, drive in {"completely random": "random", "mean image": "mean"}.items():
    accuracy = numbers(course[drive]["accuracy"])
    tasks = {"0 and 1": accuracy[:, :2].mean(1).tolist(), "2 and 3": accuracy[:, 2:].mean(1).tolist()}
    events = [(entry["events"]["steps"], entry["events"]["neurons"]) for entry in first[drive]]
    replays[label] = Replay(length, events, course["steps"], tasks)
names = [*(f"digit {digit}" for digit in digits), "random"]
HTML(
    player(
        replays,
        [dict(zip(names, layer, strict=True)) for layer in groups],
        [to_hex(color) for color in palette],
        "Neurons of two hidden layers in five blocks of a hundred, for the digits 0 to 3 and a random subset; those that fire are lit.",
    )
)

# %% [markdown]
# ## When does the sleep recover the old task?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels of accuracy on the digits of task 1 and task 2 over the steps of a sleep, on a logarithmic axis, left driven by the mean image, right by completely random input. Task 1 rises from near zero within the first one to two hundred steps and stays level after that. Task 2 falls somewhat with the mean image and hardly at all with random input, where task 1 recovers less."}, "figure": {"caption": "Accuracy on test images of both tasks if the network were woken after so many steps, and the share of the spikes of the hidden layers fired until then. Mean over networks, bands: standard error of the mean.", "name": "fig-6-course"}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True, layout="constrained")
courses = measured(records[protocol], "course")
steps = np.maximum(courses[0]["steps"], 0.7)  # the state before the sleep at the left end
for ax, (drive, title) in zip(axes, {"mean": "mean image", "random": "completely random input"}.items(), strict=True):
    accuracy = 100 * numbers([c[drive]["accuracy"] for c in courses])
    spikes = numbers([c[drive]["spikes"] for c in courses])[:, :, :-1].sum(2)
    lines = {"task 1": accuracy[:, :, :2].mean(2), "task 2": accuracy[:, :, 2:].mean(2)}
    lines["spikes so far"] = 100 * spikes / np.maximum(spikes[:, -1:], 1)
    for (name, values), color, style in zip(lines.items(), (*palette[1:3], "0.4"), ("-", "-", ":"), strict=True):
        mean, error = statistics.mean_and_error(values)
        ax.plot(steps, mean, style, color=color, label=name)
        ax.fill_between(steps, mean - error, mean + error, color=color, alpha=0.2, lw=0)
    ax.set(xscale="log", title=title, xlabel="steps slept", ylim=(-3, 103))
axes[0].set(ylabel="accuracy, share of spikes (%)")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

# %% tags=["hide-input"]
rows = []
shown = {"task 1": [0, 1], "task 2": [2, 3], "all four digits": [0, 1, 2, 3]}
for name, group in records.items():
    for drive, title in {"mean": "mean image", "random": "completely random"}.items():
        found = [c[drive] for c in measured(group, "course")]
        ends = 100 * numbers([c["accuracy"][-1] for c in found])
        spikes = numbers([c["spikes"] for c in found])[:, :, :-1].sum(2)
        at = courses[0]["steps"] if name == protocol else measured(group, "course")[0]["steps"]
        half = [at[int(np.argmax(run >= 0.9 * run[-1]))] for run in spikes]
        rows.append(
            {"protocol": name, "drive": title, "steps in all": f"{at[-1]:,}"}
            | {"nine tenths of the spikes after": f"{np.median(half):,.0f} steps"}
            | {name: f"{statistics.mean(ends[:, own]):.0f} %" for name, own in shown.items()}
        )
tables.plain(rows)

# %% [markdown]
# A sleep is over long before its last step. A neuron that fires weakens most of its inputs, and once every neuron has
# fired a few times nothing reaches its threshold any more. The order tells the mechanism: the neurons that are most
# excitable fire first and are silenced first, those of the task learned last among them, and the old task is free
# again.
#
# The paper remarks that the noise need not come from past data and still brings old tasks back in part. By the released
# protocol that is so: completely random input recovers part of task 1, at less cost to task 2. By the paper's text it
# recovers next to nothing, with sleep parameters that were found for the mean image.
#
# ## All five tasks without the mean image
#
# If a sleep needs no mean image, SRC keeps nothing of the past at all but how bright images are. Ten classes in five
# tasks, as in {doc}`table1_accuracy`, in task orders drawn at random, with the released parameters:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Final accuracy without sleep, with sleeps driven by the mean image, and with sleeps driven by completely random input, one line per network, on MNIST and Fashion-MNIST. On MNIST it goes from about 19 percent to between 39 and 50 percent with the mean image, and is back at 19 with random input. On Fashion-MNIST it goes from 20, one network from 29, to between 22 and 36 with the mean image, and lies between 20 and 28 with random input."}, "figure": {"caption": "Final accuracy on all ten classes without sleep, with sleeps driven by the mean image, and with sleeps driven by completely random input; one line per network and task order.", "name": "fig-6-drive"}}
drives = {"sequential": "no sleep", "src": "mean image", "src/random_drive": "completely\nrandom"}
five_tasks = page.under("released").collect("fig6_drive")
fig, axes = plt.subplots(
    1, len(five_tasks.datasets), figsize=(7.2, 3.4), sharey=True, squeeze=False, layout="constrained"
)
rows = []
for ax, dataset in zip(axes[0], five_tasks.datasets, strict=True):
    finals = pd.DataFrame({run: summary.final(group) for run, group in five_tasks.of(dataset).items()})
    ax.plot(finals.T.to_numpy(), "o-", color=figures.COLORS["sleep"], ms=5, lw=1, alpha=0.6)
    ax.set(title=figures.DATASETS[dataset], xlabel="drive of the noise", ylim=(0, None), xlim=(-0.4, len(drives) - 0.6))
    ax.set_xticks(range(finals.shape[1]), [drives[run] for run in finals])
    ax.grid(axis="y", color="0.92")
    means = {drives[run].replace("\n", " "): figures.spread(values) for run, values in finals.items()}
    rows.append({"data set": figures.DATASETS[dataset]} | means)
axes[0, 0].set_ylabel("final accuracy (%)")
plt.show()

# %% tags=["hide-input"]
tables.plain(rows)

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks.
#
# With five tasks the sleep needs the mean image: completely random input leaves the networks where they would be without sleep
# on MNIST, and adds a few points on Fashion-MNIST. The sleep parameters were chosen for the mean image; others, found
# for random input, may do better.
#
# ## The same by the other protocol

# %% tags=["hide-input"] mystnb={"image": {"alt": "The same bars for the other protocol: in both layers the neurons of every digit fire about twice as often as the random subset, and the four digits differ little."}, "figure": {"caption": "As the first picture, for the protocol that the page does not begin with: by default the paper's text.", "name": "fig-6-other"}}
rates(records[page.other.protocol])

# %% [markdown]
# ## Published and reproduced
#
# Directions and test statistics, over networks:

# %% tags=["hide-input"]
page.verdicts("text/mnist_two_tasks/src/firing", both=True)

# %% [markdown]
# The tests within a network, corrected for all ten of them (Bonferroni). Digit neurons are compared two-sided, the
# tasks one-sided as in the paper: neurons of 2 and 3 against those of 0 and 1.

# %% tags=["hide-input"]
rows = []
printed = published.load()["value"]
for name, group in records.items():
    for layer in (0, 1):
        found = [network["random"][layer][reading] for network in measured(group)]
        comparisons = {
            f"digit {digit} against random": [n["subset"][k] for n in found] for k, digit in enumerate(digits)
        }
        comparisons["2, 3 against 0, 1"] = [n["tasks"] for n in found]
        for title, tests in comparisons.items():
            tasks = title.startswith("2,")
            p = corrected(tests, "p_greater" if tasks else "p")
            t, d = (numbers([test[key] for test in tests]) for key in ("t", "d"))
            row = {"protocol": name, "layer": layer + 1, "comparison": title}
            row["t"] = (
                f"{statistics.mean(t):.2f} ({np.nanmin(t):.2f} to {np.nanmax(t):.2f})" if np.isfinite(t).any() else "–"
            )
            row["median p"] = f"{np.median(p):.2g}"
            row["p < 0.05 in"] = f"{sum(p < 0.05)} of {len(p)}"
            row["Cohen's d"] = f"{statistics.mean(d):.2f}" if np.isfinite(d).any() else "–"
            start = f"text/mnist_two_tasks/src/firing/layer{layer + 1}"
            bound = f"{printed[f'{start}/p']:g}" if np.isfinite(printed[f"{start}/p"]) else "below 0.001"
            row["published"] = f"t(200) = {printed[f'{start}/t']:g}, p {bound}" if tasks else "significant"
            rows.append(row)
tables.plain(rows)

# %% [markdown]
# The printed p of 0.004 is about twelve times the one-sided p of the printed $t(200) = 3.456$, so about twelve
# comparisons seem to have been corrected for; the text does not say which. Nor do 200 degrees of freedom follow from
# it: two groups of twice 100 neurons have 398.
#
# **Verdict.** That digit neurons fire more than random ones is confirmed, in both layers and by both protocols. That
# neurons of the task learned last fire more than those of the old one is confirmed in part: in the first layer they do,
# a little by the released protocol and hardly by the paper's text, and rarely significantly within a network; in the
# second layer, where the paper finds it most pronounced, the two do not differ.
#
# ## What the test can tell
#
# Is it memory that is replayed? Three comparisons say how far the test carries.
#
# - **Chosen by preference.** Most of the neurons that are active for one digit are active for others, and are counted
#   several times above. Now each neuron belongs only to the digit for which it spikes most. By the released protocol
#   the neurons of the last task then fire far more than those of the old task, and the latter less than random ones.
#   That is closer to what the paper reports, and hardly a replay of the old task.
# - **Driven by the mean image**, as in the sleep that the network really has.
# - **Untrained.** The same networks before any training, their neurons chosen and tested in the same way. They have
#   nothing to replay, and yet their "digit neurons" fire more than random ones. Neurons that receive much from one
#   input receive much from another. By the released protocol the effect is as large as in trained networks, by the
#   paper's text half as large.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Effect sizes in four panels: digit neurons against random ones and task 2 against task 1, in layers 1 and 2, for four conditions and two protocols, one mark per network. Digit neurons against random ones: above zero in all conditions, up to 2, also in untrained networks. Task 2 against task 1: near zero, but between 1 and 2 with neurons chosen by preference under the released protocol and between 0 and 1 under the other."}, "figure": {"caption": "Cohen's d of the firing rates of digit neurons against a random subset (above) and of the neurons of task 2 against those of task 1 (below), one mark per network.", "name": "fig-6-controls"}}
conditions = {
    "as above": ("random", "active"),
    "chosen by\npreference": ("random", "preferring"),
    "mean image": ("mean", "active"),
    "untrained": ("untrained", "active"),
}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5.2), sharex=True, sharey="row", layout="constrained")
for row, (key, title) in zip(
    axes, {"subset_all": "digits against random", "tasks": "task 2 against task 1"}.items(), strict=True
):
    for layer, ax in enumerate(row):
        for shift, (name, color, marker) in zip(
            (-0.15, 0.15), zip(records, ("k", "w"), "oD", strict=True), strict=True
        ):
            for place, (sleep, way) in enumerate(conditions.values()):
                d = numbers([network[sleep][layer][way][key]["d"] for network in measured(records[name])])
                x = place + shift + np.linspace(-0.08, 0.08, len(d))
                ax.plot(x, d, marker, color=color, mec="k", mew=0.8, ms=5, label=name if place == 0 else None)
        ax.axhline(0, color="k", lw=0.8)
        ax.set(title=f"{title}, layer {layer + 1}")
        ax.set_xticks(range(len(conditions)), conditions, size=9)
    row[0].set(ylabel="Cohen's d")
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %% tags=["hide-input"]
rows = []
for name, group in records.items():
    for layer in (0, 1):
        row = {"protocol": name, "layer": layer + 1}
        for sleep, title in (("random", "completely random"), ("mean", "mean image"), ("untrained", "untrained")):
            found = numbers([n[sleep][layer]["rank_correlation"] for n in measured(group)])
            row[title] = f"{statistics.mean(found):.2f}"
        rows.append(row)
tables.plain(rows)

# %% [markdown]
# The table has the rank correlation, over all neurons of a layer, of a neuron's rate asleep with its mean spike count
# for the images awake. The paper concludes that spontaneous firing in sleep is correlated with the activity of
# learning. So it is; but only where a trained network exceeds an untrained one does this speak of what was learned.

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("reading preferring")
