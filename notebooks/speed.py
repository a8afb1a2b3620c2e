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
# python -m benchmarks gpu --json data/benchmarks/gpu.json
# ```
