# %% [markdown]
# # Figure 6: replay
#
# **Claim.** Driven by completely random input, the sleeping network fires with the neurons that it used when awake:
# those specific to a digit fire more than a random subset, and those of the digits learned last fire most
# {cite}`tadros2022`.

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


def effects(name, layer, key, sleep="random", way="active"):
    """Return Cohen's d of every network: digit neurons against random ones (subset_all), or task 2 against 1 (tasks)."""
    return numbers([network[sleep][layer][way][key]["d"] for network in measured(records[name])])


def size(*of):
    """Return the mean of `effects` with its interval as text."""
    return figures.interval(effects(*of), 2, sign=False)


def ranks(name, layer, sleep):
    """Return the rank correlation of rates asleep and spike counts awake of every network."""
    return numbers([network[sleep][layer]["rank_correlation"] for network in measured(records[name])])


def within(name, layer):
    """Return in how many networks task 2 fires more than task 1 by the test within the network, as text."""
    p = corrected([network["random"][layer]["active"]["tasks"] for network in measured(records[name])], "p_greater")
    return f"{sum(p < 0.05)} of {len(p)}"


def rate(group, layer):
    """Return the mean firing rate of each digit's neurons and of the random subset, over neurons and networks."""
    found = [network["random"][layer] for network in measured(group)]
    each = [[*(mean for mean, _ in numbers(n[reading]["rates"])), numbers(n["rate_subset"])[0]] for n in found]
    return statistics.mean_and_error(each)[0]


def rates(group):
    """Draw the firing rates of the digits' neurons and of the random subset, one panel per hidden layer."""
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
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
    axes[0].set(ylabel="firing rate asleep\n(Hz, a step is 1 ms)")
    return fig


def told(group):
    """Return the rates that a picture of `rates` shows as text."""
    return "; ".join(
        f"hidden layer {layer + 1}: "
        + ", ".join(
            f"{name} {mean:.3f}" for name, mean in zip([*digits, "random subset"], rate(group, layer), strict=True)
        )
        for layer in (0, 1)
    )


# %% tags=["hide-input"]
page.answer(
    {88: "confirmed", 89: "undecided", 98: "undecided"},
    f"Neurons of a digit do fire more than a random subset (Cohen's d {size(protocol, 0, 'subset_all')} in layer 1, "
    f"{size(protocol, 1, 'subset_all')} in layer 2), but so they do in networks that never learned anything "
    f"({size(protocol, 0, 'subset_all', 'untrained')} and {size(protocol, 1, 'subset_all', 'untrained')}). That those of the "
    f"digits learned last fire more is undecided in layer 2: {size(protocol, 1, 'tasks')}.",
)

# %% tags=["hide-input"]
figures.show(
    rates(records[protocol]),
    "fig-6",
    caption="Firing rates during a sleep driven by completely random input: neurons specific to each digit, blue for "
    "task 1 and orange for task 2, and a random subset. Bars and error bars: mean and standard deviation over neurons, "
    "averaged over networks; dots: single networks. Above: in how many networks the digit's neurons fire significantly "
    "more than the random subset (two-sided t-test, p < 0.05 after Bonferroni correction for all ten tests).",
    alt=f"Mean firing rates in Hz by digit, {told(records[protocol])}.",
)

# %% [markdown]
# Numbers in brackets are 95 % intervals of the mean over networks. The networks are those of {doc}`fig4_correlations`,
# just before their last sleep. Neurons specific to a digit are the 100 of a hidden layer that spike most when test
# images of the digit are passed 25 times each through the spiking network. Then the network sleeps, plasticity
# included, and the noise knows nothing of the data: every pixel is equally likely to fire, with the brightness that the
# mean image has on average. The paper gives no rate for it. The samples of single neurons' rates, $r$ and $s$, are
# compared by Student's t-test, and by Cohen's effect size
#
# ```{math}
# :label: eq-cohen
# d = \frac{\bar r - \bar s}{\mathrm{sd}_\text{pooled}}
# ```

# %% tags=["hide-input"]
first, length = measured(records[protocol])[0], records[protocol][0]["metrics"]["phases"][-1]["steps"]
each = [statistics.mean(rate(records[protocol], layer)[:-1]) * length / 1000 for layer in (0, 1)]
pages.say(f"""
The rates are low: {each[0]:.1f} and {each[1]:.1f} spikes of a digit's neuron in the whole sleep, on average, in the two
layers. What is counted is hardly a rate: most of it happens at the beginning.
""")

# %% [markdown]
# ## The sleep as it runs

# %% tags=["hide-input"]
groups = [
    [*first["neurons"][reading][layer], first["subset"][layer]] for layer in range(2)
]  # [layer][digit, then random] neurons
fired_by = {}
fig, axes = plt.subplots(2, 1, figsize=(7.2, 5.4), sharex=True, layout="constrained")
for layer, ax in enumerate(axes):
    steps, neurons = (numbers(first["random"][layer]["events"][key]) for key in ("steps", "neurons"))
    for band, (members, color) in enumerate(zip(groups[layer], palette, strict=True)):
        for row, neuron in enumerate(members):
            fired = steps[neurons == neuron] + 1
            ax.plot(fired, np.full(len(fired), 100 * band + row), ".", color=color, ms=4)
        ax.axhline(100 * band - 0.5, color="0.8", lw=0.8)
    fired_by[layer + 1] = [f"{100 * (steps < limit).sum() / max(steps.size, 1):.0f}" for limit in (200, 1000)]
    ax.set(xscale="log", xlim=(1, length), ylim=(500, -1), ylabel=f"hidden layer {layer + 1}")
    ax.set_yticks(range(50, 500, 100), [*digits, "random"])
    ax.tick_params(axis="y", length=0)
axes[1].set(xlabel="step of the sleep")
figures.show(
    fig,
    "fig-6-raster",
    caption="Spikes of the first network in the sleep driven by completely random input. Each band has the 100 neurons "
    "of a digit, or of the random subset; a neuron that belongs to several digits stands in each of their bands. The "
    "axis of steps is logarithmic.",
    alt="Rasters of spikes, rows of neurons in five bands, for the digits 0 to 3 and a random subset. "
    + " ".join(
        f"Of all spikes of hidden layer {layer}, {early} percent come in the first 200 steps and {late} percent in the "
        f"first 1,000."
        for layer, (early, late) in fired_by.items()
    ),
    raster=True,
)

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


# %% tags=["hide-input"]
def recovered(name, drive, tested):
    """Return the accuracy (%) on some digits before the sleep and after it, (2, networks)."""
    accuracy = [numbers(c[drive]["accuracy"])[[0, -1]][:, tested] for c in measured(records[name], "course")]
    return 100 * numbers(accuracy).mean(2).T


def change(name, drive, tested):
    """Return by how much the sleep changes that accuracy, with its interval as text."""
    before, after = recovered(name, drive, tested)
    return figures.change(after, before)


old, new = [0, 1], [2, 3]
drives_of_a_sleep = {"mean": "mean image", "random": "completely random input"}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True, layout="constrained")
courses = measured(records[protocol], "course")
steps = np.maximum(courses[0]["steps"], 0.7)  # the state before the sleep at the left end
for ax, (drive, title) in zip(axes, drives_of_a_sleep.items(), strict=True):
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
figures.show(
    fig,
    "fig-6-course",
    caption="Accuracy on test images of both tasks if the network were woken after so many steps, and the share of the "
    "spikes of the hidden layers fired until then. Mean over networks, bands: standard error of the mean.",
    alt="Accuracy in percent over the steps of a sleep, before it and at its end. "
    + " ".join(
        f"Driven by {title}: "
        + ", ".join(
            f"task {task} {statistics.mean(before):.0f} and {statistics.mean(after):.0f}"
            for task, (before, after) in enumerate((recovered(protocol, drive, own) for own in (old, new)), 1)
        )
        + "."
        for drive, title in drives_of_a_sleep.items()
    ),
)

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
# fired a few times nothing reaches its threshold any more. This suggests a mechanism, which is not tested here: the
# neurons that are most excitable fire first and are silenced first, those of the task learned last among them.

# %% tags=["hide-input"]
pages.say(f"""
The paper remarks that the noise need not come from past data and still brings old tasks back in part. With these two
tasks that is so by the released protocol. Completely random input changes the accuracy on task 1 by
{change("released", "random", old)} points, the mean image by {change("released", "mean", old)}; what it costs on task 2
is not resolved, {change("released", "random", new)} points, against {change("released", "mean", new)} with the mean
image. By the paper's text no recovery is resolved, {change("described", "random", old)} points, with sleep parameters
that were found for the mean image ({change("described", "mean", old)}).
""")

# %% [markdown]
# ## All five tasks without the mean image
#
# If a sleep needs no mean image, SRC keeps nothing of the past at all but how bright images are. Ten classes in five
# tasks, as in {doc}`table1_accuracy`, in task orders drawn at random, with the released parameters:

# %% tags=["hide-input"]
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
figures.show(
    fig,
    "fig-6-drive",
    caption="Final accuracy on all ten classes without sleep, with sleeps driven by the mean image, and with sleeps "
    "driven by completely random input; one line per network and task order.",
    alt="Final accuracy in percent. " + " ".join(f"{', '.join(f'{k}: {v}' for k, v in row.items())}." for row in rows),
)

# %% tags=["hide-input"]
tables.plain(rows)

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks.
#
# The sleep parameters were chosen for the mean image; others, found for random input, may do better.

# %% tags=["hide-input"]
against = {
    figures.DATASETS[dataset]: [
        figures.change(*(summary.final(five_tasks.of(dataset).get(run, [])) for run in pair))
        for pair in (("src/random_drive", "sequential"), ("src", "sequential"), ("src/random_drive", "src"))
    ]
    for dataset in five_tasks.datasets
}
pages.say(
    "With five tasks no recovery without the mean image is resolved. "
    + " ".join(
        f"On {dataset} completely random input changes the accuracy by {random} points against no sleep, the mean image "
        f"by {mean}; between the two drives the difference is {between}."
        for dataset, (random, mean, between) in against.items()
    )
)

# %% [markdown]
# ## The same by the other protocol

# %% tags=["hide-input"]
figures.show(
    rates(records[page.other.protocol]),
    "fig-6-other",
    caption="As the first picture, for the protocol that the page does not begin with: by default the paper's text.",
    alt=f"Mean firing rates in Hz by digit, {told(records[page.other.protocol])}.",
)

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

# %% tags=["hide-input"]
t, df, p = (printed[f"text/mnist_two_tasks/src/firing/layer1/{key}"] for key in ("t", "df", "p"))
one_sided = statistics.Interval(t, 1, df).p / 2
pages.say(f"""
The printed p of {p:g} is {p / one_sided:.0f} times the one-sided p of the printed $t({df:g}) = {t:g}$, so about that many
comparisons seem to have been corrected for; the text does not say which. Nor do {df:g} degrees of freedom follow from
it: two groups of twice 100 neurons have 398.

**Verdict.** That digit neurons fire more than random ones is confirmed, in both layers and by both protocols. For
neurons of the task learned last against those of the old one the effect is small in the first layer, d =
{size("released", 0, "tasks")} by the released protocol and {size("described", 0, "tasks")} by the paper's text, and
significant within a network in {within("released", 0)} and {within("described", 0)} of them. In the second layer, where
the paper finds it most pronounced, no difference is resolved: {size("released", 1, "tasks")} and
{size("described", 1, "tasks")}.
""")


# %% [markdown]
# ## What the test can tell


# %% tags=["hide-input"]
def task_1_against_random(name, layer):
    """Return Cohen's d of neurons that prefer digit 0 or 1 against random ones, mean over both digits, as text."""
    found = [network["random"][layer]["preferring"]["subset"][:2] for network in measured(records[name])]
    return figures.interval(numbers([[test["d"] for test in pair] for pair in found]).mean(1), 2, sign=False)


def beyond(name, layer):
    """Return by how much d of trained networks exceeds that of untrained ones, network by network, as text."""
    return figures.change(effects(name, layer, "subset_all"), effects(name, layer, "subset_all", "untrained"), digits=2)


pages.say(f"""
Is it memory that is replayed? Three comparisons say how far the test carries.

- **Chosen by preference.** Most of the neurons that are active for one digit are active for others, and are counted
  several times above. Now each neuron belongs only to the digit for which it spikes most. By the released protocol
  the neurons of the last task then fire far more than those of the old task, d =
  {size("released", 0, "tasks", "random", "preferring")} in layer 1 and {size("released", 1, "tasks", "random", "preferring")}
  in layer 2, and the latter less than random ones, {task_1_against_random("released", 0)} and
  {task_1_against_random("released", 1)}. That is closer to what the paper reports, and hardly a replay of the old task.
- **Driven by the mean image**, as in the sleep that the network really has.
- **Untrained.** The same networks before any training, their neurons chosen and tested in the same way. They have
  nothing to replay, and yet their "digit neurons" fire more than random ones. Neurons that receive much from one
  input receive much from another. By the released protocol no excess of trained networks over untrained ones is
  resolved, {beyond("released", 0)} and {beyond("released", 1)} in the two layers. By the paper's text there is one, of
  {beyond("described", 0)} and {beyond("described", 1)}.
""")

# %% tags=["hide-input"]
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
                found = effects(name, layer, key, sleep, way)
                x = place + shift + np.linspace(-0.08, 0.08, len(found))
                ax.plot(x, found, marker, color=color, mec="k", mew=0.8, ms=5, label=name if place == 0 else None)
        ax.axhline(0, color="k", lw=0.8)
        ax.set(title=f"{title}, layer {layer + 1}")
        ax.set_xticks(range(len(conditions)), conditions, size=9)
    row[0].set(ylabel="Cohen's d")
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
figures.show(
    fig,
    "fig-6-controls",
    caption="Cohen's d of the firing rates of digit neurons against a random subset (above) and of the neurons of task 2 "
    "against those of task 1 (below), one mark per network.",
    alt=f"Mean effect sizes in layers 1 and 2, {protocol}. "
    + " ".join(
        f"{title}: "
        + ", ".join(
            f"{condition.replace(chr(10), ' ')} "
            + " and ".join(f"{statistics.mean(effects(protocol, layer, key, *condition_of)):.1f}" for layer in (0, 1))
            for condition, condition_of in conditions.items()
        )
        + "."
        for key, title in (("subset_all", "Digits against random"), ("tasks", "Task 2 against task 1"))
    ),
)

# %% tags=["hide-input"]
sleeps = {"random": "completely random", "mean": "mean image", "untrained": "untrained"}
tables.plain(
    [
        {"protocol": name, "layer": layer + 1}
        | {title: f"{statistics.mean(ranks(name, layer, sleep)):.2f}" for sleep, title in sleeps.items()}
        | {
            "trained less untrained": figures.change(
                *(ranks(name, layer, s) for s in ("random", "untrained")), digits=2
            )
        }
        for name in records
        for layer in (0, 1)
    ]
)

# %% [markdown]
# The table has the rank correlation, over all neurons of a layer, of a neuron's rate asleep with its mean spike count
# for the images awake, and what training adds to it in the sleep driven by completely random input, with its 95 %
# interval. The paper concludes that spontaneous firing in sleep is correlated with the activity of learning. So it is;
# but only where a trained network exceeds an untrained one does this speak of what was learned. By the paper's text it
# does, in both layers. By the released protocol it does in neither.

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("reading preferring")
