# %% [markdown]
# # How long a sleep takes
#
# **Question.** How long does a sleep take with the kernels of this book, and with a loop as one would first write it, and
# as the released code has it?

# %% tags=["parameters"]
report = "gpu.json"  # a file of data/benchmarks, written by `python -m benchmarks gpu`

# %% tags=["hide-input"]
import json

import matplotlib.pyplot as plt
import numpy as np

from srclib import pages
from srclib.data.places import committed
from srclib.pages import figures, tables

known = sorted(path.name for path in committed("benchmarks").glob("gpu*.json"))
page = pages.open("speed", report=pages.one_of(report, *known))
measured = json.loads((committed("benchmarks") / report).read_text())


# %% tags=["hide-input"]
def networks(name):
    """Return how many networks slept at once."""
    return int(name.split()[1]) if name.startswith("cuda") else 1


def title(name):
    """Return the name of a contender for a reader."""
    n = networks(name)
    return f"cuda, {n} network{'s' * (n > 1)} at once" if name.startswith("cuda") else name


def duration(seconds):
    """Return seconds as text with a fitting unit."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def median(name):
    """Return the median time of a sleep as text, divided by the networks that slept at once."""
    return duration(np.median(measured["seconds"][name]) / networks(name))


# %% tags=["hide-input"]
order = sorted(measured["seconds_per_sleep"], key=measured["seconds_per_sleep"].get, reverse=True)
pages.say(
    f"A sleep takes {'; '.join(f'{title(name)}: {median(name)}' for name in order)}. On a GPU, the time of each network."
)

# %% tags=["hide-input"]
kinds = {"textbook": figures.COLORS["published"], "event": figures.COLORS["rehearsal"], "cuda": figures.COLORS["sleep"]}
fig, ax = plt.subplots(figsize=(7.6, 3.8), layout="constrained")
for row, name in enumerate(order):
    rounds = np.array(measured["seconds"][name]) / networks(name)
    ax.plot(rounds, [row] * len(rounds), "o", color=kinds[name.split(",")[0]], ms=6, alpha=0.6)
    ax.annotate(
        f"{duration(np.median(rounds))}  ×{measured['ratios'][name]:,.0f}",
        (rounds.max(), row), xytext=(10, 0), textcoords="offset points", va="center", fontsize=10,
    )  # fmt: skip
ax.set(xscale="log", xlabel="seconds per sleep", xlim=(None, 2 * max(measured["seconds"]["textbook, CPU"]) * 4))
ax.xaxis.set_major_formatter("{x:g}")
ax.set_yticks(range(len(order)), [title(name) for name in order])
ax.invert_yaxis()
ax.grid(axis="x", color="0.92")
figures.show(
    fig,
    "fig-speed",
    caption="Seconds of one sleep; with several networks at once, divided by their number. Dots: rounds, taken in turns; the "
    "number is by how much the median is faster than the loop on the CPU, which has one thread.",
    alt=f"Seconds per sleep on a logarithmic axis. {'; '.join(f'{title(name)}: {median(name)}' for name in order)}",
)

# %% [markdown]
# ## The case
#
# In a step of a sleep a handful of neurons fire, of thousands. A loop as one would first write it, and as the released
# code has it, does not know this: in every step it multiplies each layer's spikes with all of its weights and touches
# every weight once more for the learning rule. The kernels of `srclib` compute the same sleep and do not:
#
# | kernel | where | how |
# | --- | --- | --- |
# | `reference` | anywhere | PyTorch; short and plain, the definition that the others are tested against |
# | `event` | CPU | adds up the weights of the inputs that fired, changes those of the neurons that fired |
# | `cuda` | GPU | one program per neuron, which keeps its weights in registers for the whole sleep; many networks at once |
#
# The case is the first sleep on Fashion-MNIST with the released parameters: 15,000 steps of a network of
# 784-1200-1200-10 neurons after its first task. Before anything is timed, the kernels must agree.

# %% tags=["hide-input"]
same = measured["agreement"]
pages.say(
    f"On the CPU the sleep has {', '.join(f'{n:,}' for n in same['spikes'])} spikes in the two hidden layers and the "
    f"outputs. On the GPU {sum(same['differ'])} of them differ, and no weight by more than "
    f"{max(same['largest_difference_of_weights']):.1g}."
)

# %% [markdown]
# What a GPU is for is many networks at once, the candidates of a search or the seeds of an experiment.
#
# The CPU kernel is this fast because a sleep is quiet. One that runs away, with many neurons firing in every step, takes
# far longer; `max_updates` gives such a sleep up. The GPU kernel looks at every input in every step, fired or not.
#
# ## On a CPU, step by step
#
# A step of `event` costs what happens in it: the weights of the inputs that fired are added up, and a neuron that fires
# learns. So there is a limit, the pace at which the machine adds float32 numbers that lie in its second cache; it is
# measured with the kernel itself, on neurons that never fire.

# %% tags=["hide-input"]
shapes = json.loads((committed("benchmarks") / "shapes.json").read_text())
pace = " and ".join(f"{adds / 1e9:.1f} billion from {cache}" for cache, adds in shapes["adds_per_second"].items())
busy = max(load[0] for load in shapes["load"].values())
pages.say(
    f"One core of this machine ({shapes['processor']}) adds {pace} in a second. While the table was measured, "
    f"{busy:.1f} processes at a time wanted to run on it; each time is the median of its rounds."
)

# %% tags=["hide-input"]
names = {
    "steps": "steps", "rate": "rate (Hz)", "streams": "streams at once", "width": "width of two hidden layers",
    "depth": "hidden layers", "inputs": "inputs",
}  # fmt: skip
fig, axes = plt.subplots(2, 3, figsize=(9, 5.2), layout="constrained")
for ax, (axis, name) in zip(axes.flat, names.items(), strict=True):
    sleeps = [entry for entry in shapes["sleeps"] if entry["axis"] == axis]
    values = [entry["value"] for entry in sleeps]
    ax.plot(values, [entry["limit"]["1"] for entry in sleeps], color=figures.COLORS["published"], label="limit")
    for threads, color in (("1", figures.COLORS["rehearsal"]), ("2", figures.COLORS["sleep"])):
        times = [entry["microseconds"][threads] for entry in sleeps]
        ax.plot(values, times, "o", color=color, label=f"{threads} thread{'s' * (threads != '1')}")
    ax.set(xscale="linear" if axis == "depth" else "log", yscale="log", xlabel=name)
    ax.set_xticks(values, [f"{value:,}" for value in values])
    ax.minorticks_off()
    ax.grid(axis="y", color="0.92")
for ax in axes[:, 0]:
    ax.set_ylabel("µs a step")
axes[0, 0].legend(frameon=False)
widest = {axis: max(e["microseconds"]["1"] for e in shapes["sleeps"] if e["axis"] == axis) for axis in names}
figures.show(
    fig,
    "fig-speed-shapes",
    caption="Microseconds a step of one stream, noise included, when one thing is varied. Dots: medians; line: the limit "
    "of one core.",
    alt="Six panels of microseconds a step on logarithmic axes. The longest times of one thread: "
    + ", ".join(f"{most:.1f} over {names[axis]}" for axis, most in widest.items())
    + ".",
)

# %% tags=["hide-input"]
tables.plain(
    [
        {
            "varied": names[entry["axis"]],
            "value": f"{entry['value']:,}",
            "spikes a step, inputs first": ", ".join(f"{count:.2g}" for count in entry["spikes"]),
            "limit (µs)": f"{entry['limit']['1']:.2f}",
            "one thread (µs)": f"{entry['microseconds']['1']:.2f}",
            "two threads (µs)": f"{entry['microseconds']['2']:.2f}",
        }
        for entry in shapes["sleeps"]
    ]
)

# %% [markdown]
# Steps, rate and streams are varied in the standard case; the other networks have random weights, and three in a
# hundred of their inputs fire in a step.
#
# ## Other simulators
#
# General simulators of spiking networks have no rule like this one, except for Brian 2, in which it can be written
# down. The others learn by the timing of spikes, the nearest that they bring.

# %% tags=["hide-input"]
file = committed("benchmarks") / "peers.json"
peers = json.loads(file.read_text()) if file.exists() else {"ratios": {}}
rows = [
    {
        "simulator": f"{name} {peers['peers'][name]}",
        "µs a step": f"{peers['microseconds_per_step'][name]:,.0f}",
        "times slower than `event`": f"{ratio:,.0f}",
    }
    for name, ratio in peers["ratios"].items()
]
tables.plain(rows) if rows else pages.say("Not measured yet; `nox -s peers -- --json data/benchmarks/peers.json` does.")

# %% [markdown]
# ## All rounds

# %% tags=["hide-input"]
rows = [
    {
        "kernel": title(name),
        "seconds a sleep": f"{measured['seconds_per_sleep'][name]:.4f}",
        "times as fast": f"{measured['ratios'][name]:,.0f}",
        "rounds (s)": ", ".join(f"{seconds:.3g}" for seconds in measured["seconds"][name]),
    }
    for name in order
]
tables.plain(rows)

# %% [markdown]
# Times of the CPU include the drawing of the noise, those of the GPU the way of its spikes to the device. Of the loops,
# which are slow, 200 steps are timed and multiplied.
#
# ## Provenance

# %% tags=["hide-input"]
versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
pages.say(
    f"Measured {measured['date'][:10]} from commit {measured['commit'][:10]} on {measured['device']['gpu']} and one core "
    f"of {measured['device']['cpu']}; {versions}."
)

# %% [markdown]
# To measure on your machine, without a GPU and with one:
#
# ```bash
# python -m benchmarks kernel
# python -m benchmarks shapes --json data/benchmarks/shapes.json
# nox -s peers -- --json data/benchmarks/peers.json
# python -m benchmarks gpu --json data/benchmarks/gpu.json
# ```
