# %% [markdown]
# (own-loop)=
# # Sleep on your own network
#
# `srclib.sleep` needs torch, numpy and numba (triton on a GPU). It takes an `nn.Sequential` of bias-free `nn.Linear`,
# `nn.ReLU` and dropout, or the list of the `nn.Linear` of a larger network, and changes their weights in place. One call
# is a sleep, {func}`srclib.sleep.sleep`:
#
# ```python
# sleep(net, mean_input, config, scale_inputs=images)
# ```
#
# The question is which `config`. The parameters belong to a network and its training: another loss, width or data set
# wants others. {func}`srclib.sleep.tune.tune` finds them. It needs some examples of the old tasks to score a sleep by, so it
# is for a stream on which you have them; then the sleep goes to networks that keep nothing but the mean input.
#
# This page does both for two tasks of MNIST. It is a plain Python file, `notebooks/own_network.py`: put your network
# and your data in the place of these.

# %% tags=["parameters"]
trials = 60  # sleeps that the search tries
networks = 5  # how many others sleep with what it found

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from srclib import pages
from srclib.data import load
from srclib.pages import figures
from srclib.sleep import sleep
from srclib.sleep.tune import tune

page = pages.open("own_network", trials=pages.whole(trials, 1), networks=pages.whole(networks, 1))
mnist = load("mnist")  # x_train (60000, 784) in [0, 1], y_train (60000,), x_test, y_test
tasks = [(0, 1), (2, 3)]
held_out = 500  # training images of each task that score a sleep


# %%
def rows(y, digits):
    """Return where the images of these digits stand."""
    return torch.isin(y, torch.tensor(digits)).nonzero()[:, 0]


def accuracy(net, x, y):
    """Return the fraction of images that are recognised."""
    with torch.no_grad():
        return float((net(x).argmax(1) == y).float().mean())


# %% [markdown]
# ## A plain training loop that forgets

# %%
trained = [rows(mnist.y_train, digits)[:-held_out] for digits in tasks]


def awake(seed):
    """Return a network that has learned one task after the other."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(784, 400, bias=False),
        nn.ReLU(),
        nn.Linear(400, 400, bias=False),
        nn.ReLU(),
        nn.Linear(400, 10, bias=False),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    for images in trained:
        for batch in images[torch.randperm(len(images))].split(100):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(mnist.x_train[batch]), mnist.y_train[batch]).backward()
            optimizer.step()
    return net


# %% [markdown]
# ## Find a sleep
#
# Of the past a sleep needs the mean input. The gain of the layers is set by images of the present task, as in the
# paper. The search leaves the network as it was.

# %%
mean_input = mnist.x_train[torch.cat(trained)].mean(0)  # (784,)
present = mnist.x_train[trained[-1]]  # (n, 784)

aside = torch.cat([rows(mnist.y_train, digits)[-held_out:] for digits in tasks])
x, y = mnist.x_train[aside], mnist.y_train[aside]
net = awake(seed=0)
found = tune(net, mean_input, lambda: accuracy(net, x, y), scale_inputs=present, trials=trials)
print(f"images held out: {found.awake:.0%} recognised awake, {found.score:.0%} after the best sleep")
print(found.config)

# %% [markdown]
# ## Use it on other networks
#
# They start from other weights, see the images in another order, and are judged on test images.

# %%
tests = [rows(mnist.y_test, digits) for digits in tasks]
before, after = [], []
for seed in range(1, networks + 1):
    net = awake(seed)
    before.append([accuracy(net, mnist.x_test[r], mnist.y_test[r]) for r in tests])
    sleep(net, mean_input, found.config, scale_inputs=present, seed=seed)
    after.append([accuracy(net, mnist.x_test[r], mnist.y_test[r]) for r in tests])

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True, layout="constrained")
for t, (ax, digits) in enumerate(zip(axes, tasks, strict=True)):
    values = 100 * torch.tensor([[b[t] for b in before], [a[t] for a in after]])
    ax.plot(["awake", "after a sleep"], values, "o-", color=figures.COLORS[f"task {t + 1}"], alpha=0.7)
    ax.set(title=f"task {t + 1}: digits {digits[0]} and {digits[1]}", ylim=(-3, 103), xlim=(-0.3, 1.3))
    ax.grid(axis="y", color="0.92")
axes[0].set_ylabel("accuracy (%)")
awake_then_asleep = [figures.spread([100 * each[t] for each in runs]) for t in (0, 1) for runs in (before, after)]
figures.show(
    fig,
    "fig-own-network",
    caption="Accuracy on test images of both tasks before and after the sleep, one line per network. None of these networks "
    "took part in the search.",
    alt="Accuracy in percent, one line per network. Task 1: {} awake, {} after a sleep. Task 2: {}, then {}".format(
        *awake_then_asleep
    ),
)

# %% tags=["hide-input"]
gains = [figures.change(*([100 * each[t] for each in runs] for runs in (after, before))) for t in (0, 1)]
pages.say(
    f"The sleep changes task 1 by {gains[0]} points and task 2 by {gains[1]}: the mean over networks, 95 % interval."
)

# %% [markdown]
# What was found on one network serves others in part. A search on more trials, or with a score that is the mean over
# several networks, gives parameters that transfer better; {ref}`another page <searches>` has the book's
# own.
#
# ## Things to know
#
# - **`scale_inputs`** sets the gain of each layer from the activations that these inputs cause. Without it, `alpha` is
#   the gain itself.
# - **Look inside.** `sleep(..., record=True).rates()` gives the firing rate of every neuron in Hz. A layer that never
#   fires learns nothing; one that fires in every step replays nothing.
# - **Convolutions.** Pass the dense layers only, `sleep([net.fc1, net.fc2], ...)`, with the mean of *their* input,
#   scaled to [0, 1].
# - **Bad input is refused** with a `ValueError` that names the argument, the value and what is allowed: a layer with a
#   bias, a mean outside [0, 1], weights that are not finite. The network is unchanged then.
#
# ## Behind Avalanche
#
# `examples/avalanche_sleep.py` has a plugin for [Avalanche](https://avalanche.continualai.org) that lets a network sleep
# after every experience and keeps the mean input itself. `nox -s avalanche` tests it against Avalanche, in an
# environment of its own, and runs the example.
#
# ```{literalinclude} ../../../examples/avalanche_sleep.py
# :language: python
# :start-at: "class SleepPlugin"
# :end-before: "def main"
# ```
