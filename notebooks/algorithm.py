# %% [markdown]
# # The algorithm
#
# Sleep Replay Consolidation (SRC) puts a trained network to sleep {cite}`tadros2022`. The network keeps its weights,
# but its units become spiking neurons: noise drives the inputs, spikes travel up through the layers, and every
# synapse changes by a local rule that knows nothing of labels, losses or gradients. Then the units become ordinary
# ones again.
#
# ```text
# for every task:
#     train by backpropagation
#     fall asleep: ReLU units become spiking neurons
#     for every time step:
#         draw input spikes from the mean input
#         pass spikes up through the layers
#         change the weights of neurons that fired
#     wake up: spiking neurons become ReLU units
# ```
#
# This page writes the sleep down as equations, checks that the package computes just these, looks at a real sleep,
# and shows where its parameters come from.

# %% tags=["parameters"]
seed = 1  # weights, order of the images, noise of the sleeps
protocol = "released"  # of training and sleep
steps = 4000  # length of each sleep on this page
shown = 400  # steps that the raster shows

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from torch import nn

from srclib import pages
from srclib.pages import figures

lengths = {"steps": pages.whole(steps, 1), "shown": pages.whole(shown, 1)}
page = pages.open("algorithm", protocol=protocol, seed=pages.whole(seed, 0), **lengths)

# %% [markdown]
# ## A sleep in five equations
#
# Let $W_l$ be the weights into layer $l$, with shape (neurons of layer $l$, neurons below). Its neurons have a
# membrane potential $v_l$ and fire spikes $s_l \in \{0, 1\}$; $s_0$ are the spikes of the input. All potentials are
# zero when the sleep begins. One time step goes through the layers from the bottom to the top.
#
# **Noise.** A step lasts $\mathrm{d}t$, and $r$ is a rate. An input whose mean over everything learned so far is
# $m_i \in [0, 1]$ fires at random:
#
# ```{math}
# :label: eq-input
# P\left(s_{0,i} = 1\right) = \min\left(1,\; 2\,\mathrm{d}t\; r\; m_i\right)
# ```
#
# **Integrate.** Spikes from below push the potential up or down. The gain $\alpha_l$ belongs to the layer, and
# $\lambda$ is what a potential keeps from one step to the next:
#
# ```{math}
# :label: eq-membrane
# v_l \leftarrow \lambda\, v_l + \alpha_l\, W_l\, s_{l-1}
# ```
#
# **Fire.** Every layer has one threshold $\beta_l$:
#
# ```{math}
# :label: eq-fire
# s_{l,j} = \begin{cases} 1 & \text{if } v_{l,j} > \beta_l \\ 0 & \text{otherwise} \end{cases}
# ```
#
# **Learn.** Only the synapses of a neuron $j$ that just fired change, $s_{l,j} = 1$. Inputs that fired with it are
# strengthened, all others are weakened:
#
# ```{math}
# :label: eq-learn
# W_{l,ji} \leftarrow W_{l,ji} + g(W_{l,ji}) \cdot
# \begin{cases} +\mathrm{inc} & \text{if } s_{l-1,i} = 1 \\ -\mathrm{dec} & \text{if } s_{l-1,i} = 0 \end{cases}
# ```
#
# **Reset.** A neuron that fired starts again from zero:
#
# ```{math}
# :label: eq-reset
# v_{l,j} \leftarrow 0 \quad\text{where } s_{l,j} = 1
# ```
#
# Algorithm 1 of the paper is the case $\lambda = 1$ and $g = 1$. The code that its authors released runs with
# $\lambda = 0.999$, fires at $v \ge \beta$ instead of $v > \beta$, and has a gate $g$ that protects strong synapses
# ({eq}`eq-gate` below). [Two protocols](../book/protocols.md) keep these apart.
#
# Algorithm 1 first passes the spikes through all layers and then changes all weights. That is the same as doing both
# layer by layer, since a step reads the weights of a layer before it changes them, and no other layer reads them.

# %% [markdown]
# ## The same in five lines
#
# The equations, in order, for one time step:


# %%
def step(W, v, s, c, g):
    for k in range(len(W)):
        v[k] = c.decay * v[k] + c.alpha[k] * W[k] @ s  # integrate
        fired = v[k] > c.beta[k] if c.strict else v[k] >= c.beta[k]  # fire
        W[k][fired] += np.where(s, c.inc, -c.dec) * g(W[k][fired])  # learn
        v[k][fired] = 0  # reset
        s = fired
    return s


# %% [markdown]
# A network small enough to follow by hand: four inputs, two hidden neurons, one output neuron. Its weights are
# eighths, so that no rounding hides a mistake, and its inputs fire by the flip of a coin.

# %%
from dataclasses import replace

from srclib.sleep import SleepConfig, draw_input, layer_scales, linear_layers, run_layers, sleep
from srclib.sleep.reference import gate

W = [np.array([[2, -1, 3, 0], [1, 2, -2, 4]]) / 8, np.array([[4, 2]]) / 8]
coins = draw_input(np.full(4, 0.5), steps=40, gain=1, seed=seed).dense()
tiny = SleepConfig(alpha=(1, 2), beta=(1, 1.5), inc=1 / 16, dec=1 / 32)

w, v = [layer.copy() for layer in W], [np.zeros(2), np.zeros(1)]
by_hand = np.array([step(w, v, s, tiny, g=np.ones_like) for s in coins])

spikes = torch.from_numpy(coins)
single = [torch.tensor(layer, dtype=torch.float32) for layer in W]
for backend in ("reference", "event"):
    r = run_layers(single, spikes, tiny, backend=backend, record=True)
    assert np.array_equal(r.spikes[-1].numpy(), by_hand)
    for packaged, ours in zip(r.weights, w, strict=True):
        assert np.array_equal(packaged.numpy(), ours)
print(f"{by_hand.sum()} output spikes; all agree to the last bit")

# %% [markdown]
# The same with the leak and the gate of the released code, in double precision:


# %%
def released(w):
    return 2 / (1 + np.exp(w / 0.001))


gated = replace(tiny, decay=0.999, gate=0.001, strict=False)
w, v = [layer.copy() for layer in W], [np.zeros(2), np.zeros(1)]
by_hand = np.array([step(w, v, s, gated, g=released) for s in coins])

double = [torch.tensor(layer) for layer in W]
r = run_layers(double, spikes, gated, record=True)
assert np.array_equal(r.spikes[-1].numpy(), by_hand)
for packaged, ours in zip(r.weights, w, strict=True):
    np.testing.assert_allclose(packaged.numpy(), ours, rtol=1e-12)
print(f"{by_hand.sum()} output spikes; weights agree to 12 digits")

# %% [markdown]
# ## A real sleep
#
# A network with two hidden layers of 1,200 units learns the digits 0 and 1, sleeps, learns 2 and 3, and sleeps again.
# Training, network and sleep are those of the protocol that the parameters name; only the sleeps are cut to the length
# given there. Accuracy is measured on the test images of these digits, with all ten outputs to choose from.

# %%
from copy import deepcopy

from srclib.data import class_incremental, load
from srclib.experiments import protocols
from srclib.learning import training

p = protocols.load(protocol, "mnist")
if p.sleep is None:
    raise ValueError(f"protocol {protocol!r} has no sleep for MNIST")
night = replace(p.sleep.night(1), steps=steps)
n = p.awake.images_per_task  # trained on, the first of each task
known = None if p.sleep.statistics == "pool" else n  # used for the sleep

tasks = class_incremental(load("mnist"), order=range(5))[:2]
accuracy = {}


def note(stage):
    correct = [training.predict(net, k.x_test) == k.y_test for k in tasks]
    accuracy[stage] = [float(c.float().mean()) for c in correct]


with training.reproducible(seed):
    net = p.awake.network()
    optimizer = p.awake.optimizer(net)
    for t, task in enumerate(tasks):
        x, y = task.x_train[:n], task.y_train[:n]
        how = {"loss": p.awake.loss, "batch": p.awake.batch}
        how["epochs"] = p.awake.task_epochs(t)
        training.train(net, optimizer, x, y, **how)
        note(" and ".join(map(str, task.classes)) + " learned")
        trained = deepcopy(net)

        seen = torch.cat([k.x_train[:known] for k in tasks[: t + 1]])
        asleep = {"scale_inputs": seen, "seed": (seed, t), "record": True}
        result = sleep(net, seen.mean(0), night, **asleep)
        note(f"sleep {t + 1}")

digits = ["digits 0 and 1", "digits 2 and 3"]
pd.DataFrame(accuracy, index=digits).map("{:.1%}".format)

# %% [markdown]
# From left to right: each training wins its own task and loses the other. The second sleep brings digits 0 and 1 back,
# without having seen them, at some cost to 2 and 3.

# %% tags=["hide-input"]
before = [layer.weight.detach() for layer in linear_layers(trained)]  # (out, in) each, before the second sleep
palette = [figures.COLORS[key] for key in ("task 1", "task 2", "published")]  # blue, orange, grey: neither task
awake = [task.x_train[:1000] for task in tasks]
belongs = []  # per layer (neurons,): 0 or 1, the task that drives the neuron more
for w in before[:-1]:
    awake = [torch.relu(x @ w.T) for x in awake]
    belongs.append((awake[1].mean(0) > awake[0].mean(0)).int().numpy())
belongs.append(np.array([0, 0, 1, 1] + [2] * 6))  # the output neurons are digits

hidden = torch.cat(result.spikes[:2], dim=1)
counts = result.spike_counts[0].double().numpy()
early = 100 * float(hidden[:shown].sum() / hidden.sum())
pages.say(f"""
{{numref}}`fig-raster` shows the beginning of that second sleep. The noise never stops, yet the layers above it fall silent:
{early:.0f} % of all spikes of the hidden layers come in the first {shown:,} of {steps:,} steps.
""")

# %% tags=["hide-input"]
noise = draw_input(seen.mean(0).double().numpy(), steps, 2 * night.dt * night.rate, seed=(seed, t), window=night.window)
rasters = [noise.dense(), *(s.numpy() for s in result.spikes)]  # bool (steps, neurons) each
names = ["input", "hidden 1", "hidden 2", "output"]
colour_of = [np.full(784, 2), *belongs]  # index into the palette

fig, axes = plt.subplots(4, 1, figsize=(7.2, 6.8), sharex=True, height_ratios=[3, 4, 4, 2], layout="constrained")
for ax, raster, colour, name in zip(axes, rasters, colour_of, names, strict=True):
    time, neuron = np.nonzero(raster[:shown])
    size = {"input": 0.8, "output": 30}.get(name, 5)
    ax.scatter(time, neuron, c=[palette[colour[n]] for n in neuron], s=size, linewidths=0)
    ax.set(ylabel=f"{name}\nneuron", ylim=(raster.shape[1] + 0.5, -1.5), xlim=(-4, shown))
axes[3].set(xlabel="time step of the sleep", yticks=[0, 3, 6, 9])
for colour, label in zip(palette, ["neuron prefers 0 and 1", "neuron prefers 2 and 3"], strict=False):
    axes[0].scatter([], [], color=colour, s=16, label=label)
fig.legend(loc="outside upper center", ncols=2, handletextpad=0)
counted = ", ".join(f"{name} {raster[:shown].sum():,}" for name, raster in zip(names, rasters, strict=True))
figures.show(
    fig,
    "fig-raster",
    caption="The sleep after the digits 2 and 3 were learned. Every dot is a spike. Input neurons are the 784 pixels, from "
    "the top row of the image down; a hidden neuron has the colour of the task that drives it more while the network is "
    "awake. A step stands for 1 ms.",
    alt=f"Raster plot of the first {shown:,} steps of a sleep, one panel of dots for each layer. Spikes in them: {counted}; "
    f"{early:.0f} percent of all those of the hidden layers in {steps:,} steps",
    data=pd.DataFrame({"layer": names, f"spikes in the first {shown} steps": [r[:shown].sum() for r in rasters]}),
    raster=True,
)

# %% [markdown]
# Why does it fall silent? {numref}`fig-potential` follows one neuron. It shares nothing with the other neurons of its
# layer, so its whole sleep can be computed from its own weights and the spikes below it. The check says that this
# reproduces its spikes in the raster. (It is also why a fast kernel may run each layer for all steps before the next.)


# %%
def alone(w, spikes_below, alpha, beta, c):
    """Return a neuron's potential before each reset, and its spikes."""
    w, v, potential, fired = w.clone(), 0.0, [], []
    for s in torch.from_numpy(spikes_below):
        v = c.decay * v + alpha * float(w[s].sum())
        potential.append(v)
        fired.append(v > beta if c.strict else v >= beta)
        if fired[-1]:
            w += torch.where(s, c.inc, -c.dec) * gate(w, c.gate)
            v = 0.0
    return np.array(potential), np.array(fired)


scales = layer_scales(trained, seen)
alphas = np.multiply(night.per_layer("alpha", 3), scales)
betas = np.array(night.per_layer("beta", 3))
busiest = result.spike_counts[0].argmax()
w = before[0][busiest].double()
potential, fired = alone(w, rasters[0], alphas[0], betas[0], night)
assert np.array_equal(fired, rasters[1][:, busiest])

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(7.2, 2.6), layout="constrained")
path = np.column_stack([potential, np.where(fired, 0, np.nan)]).ravel()  # a spike drops to 0 within its step
time = np.repeat(np.arange(steps), 2)[np.isfinite(path)]
ax.plot(time, path[np.isfinite(path)], color=palette[0], lw=1)
ax.axhline(betas[0], color="k", ls="--", lw=1)
ax.annotate("threshold", (shown, betas[0]), (-4, 3), textcoords="offset points", ha="right")
ax.plot(np.flatnonzero(fired), np.full(fired.sum(), 1.9 * betas[0]), "v", color="k", ms=4)
ax.set(
    xlim=(-4, shown), ylim=(-4 * betas[0], 2.2 * betas[0]), xlabel="time step of the sleep", ylabel="membrane potential"
)
figures.show(
    fig,
    "fig-potential",
    caption="Membrane potential of the neuron of hidden layer 1 that fired most. Triangles mark its spikes; after each, the "
    "potential starts again from zero and the neuron's weights have changed.",
    alt=f"Membrane potential of one neuron over time. It climbs to the threshold, fires and falls back to zero, {fired.sum()} "
    f"times in all, the last time in step {np.flatnonzero(fired).max(initial=-1) + 1:,} of {steps:,}",
)

# %% [markdown]
# Every spike strengthens the few synapses that took part and weakens all the others that the gate leaves free. There
# are far more of the others. After some spikes the noise pulls the potential down on average, and the neuron is
# silent from then on. The neurons that the noise excites most are tamed first, and these belong mostly to what was
# learned last.

# %% tags=["hide-input"]
ratio = counts[belongs[0] == 1].mean() / counts[belongs[0] == 0].mean()
pages.say(
    f"Here a neuron of hidden layer 1 that prefers the digits 2 and 3 fired {ratio:.1f} times as often as one that prefers 0 "
    "and 1."
)

# %% [markdown]
# ## The gate
#
# The released code multiplies every change by
#
# ```{math}
# :label: eq-gate
# g(w) = 2\,\sigma\!\left(-\frac{w}{0.001}\right) = \frac{2}{1 + e^{\,w / 0.001}}
# ```
#
# which the paper does not mention. It doubles the changes of negative weights, leaves those of zero weights as they
# are, and turns off those of positive weights: above about 0.005 a synapse neither grows nor shrinks any more
# ({numref}`fig-gate`). What training made strong and positive is out of reach of the sleep. What the sleep does to
# the rest is mostly inhibition, and a synapse that it does strengthen jumps to its final value in one step.

# %% tags=["hide-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), width_ratios=[1, 1.5], layout="constrained")
w = np.linspace(-0.01, 0.01, 401)
left.plot(w, gate(torch.tensor(w), 0.001), color=palette[0])
left.axvline(0, color="0.8", lw=0.8, zorder=0)
left.set(xlabel="weight $w$", ylabel="$g(w)$", xticks=[-0.01, 0, 0.01], yticks=[0, 1, 2])
rows = result.spike_counts[0] > 0
old, new = before[0][rows].ravel().numpy(), result.weights[0][rows].ravel().numpy()
shades = sns.color_palette("blend:#a6cee3,#08306b", as_cmap=True)
right.hist2d(old, new, bins=240, norm="log", cmap=shades, rasterized=True)
right.axline((0, 0), slope=1, color="k", lw=0.6, ls=":")
right.locator_params(nbins=5)
right.set(xlabel="weight before the sleep", ylabel="weight after the sleep")
figures.show(
    fig,
    "fig-gate",
    caption="Left: the gate. Right: the weights into those neurons of hidden layer 1 that fired, before and after the sleep of "
    "the raster above; darker is more weights. On the diagonal nothing changed.",
    alt="Left: the gate g of w falls from two for negative weights through one at zero to zero for positive ones. Right: density "
    f"of weights before and after the sleep. Of those above 0.005 {100 * (np.abs(new - old) < 1e-4)[old > 0.005].mean():.0f} "
    "percent lie on the diagonal, changed by less than 0.0001; of those below it "
    f"{100 * (new < old)[old <= 0.005].mean():.0f} percent are lower than before",
    raster=True,
)

# %% [markdown]
# (where-parameters-come-from)=
# ## Where alpha, beta and the factor 2·dt·rate come from
#
# A sleep has three kinds of parameters: gains and thresholds of the layers ($\alpha_l$, $\beta_l$), the strength of
# the noise ($2\,\mathrm{d}t\,r$), and the size of the weight changes (inc, dec). One part of $\alpha$ is computed
# from data; everything else was found by a genetic search that the paper mentions and that was not released. Only its
# outcome is known: one set of numbers for each data set and method, in the released code.
#
# ### Alpha: a scale from data, times a searched number
#
# The data-based part comes from converting trained networks to spiking ones {cite}`diehl2015`. There it makes the
# largest activation of every layer 1, so that a rate of spikes can stand for an activation. With $s_l$ the largest
# weight or activation of layer $l$, whichever is larger, and $a$ the searched number,
#
# ```{math}
# :label: eq-scales
# f_1 = s_1, \qquad f_l = \frac{s_l}{f_{l-1}}, \qquad \alpha_l = \frac{a}{f_l}
# ```
#
# The weights themselves stay as they are. By hand and from the package:

# %%
modules = list(trained.eval())
if isinstance(modules[-1], nn.Linear):  # then the loss has the softmax
    modules.append(nn.Softmax(1))

x, s, f = seen, [], []
with torch.no_grad():
    for module in modules:
        x = module(x)
        if isinstance(module, nn.Linear):
            weight = float(module.weight.max())
            s.append(weight)
        s[-1] = max(weight, float(x.max()))  # of what leaves the layer last
for k in range(3):
    f.append(s[k] / f[k - 1] if k else s[k])
assert np.allclose(scales, 1 / np.array(f))

columns = {"s": s, "f": f, "α": alphas, "β": betas, "β / α": betas / alphas}
pd.DataFrame(columns, index=names[1:]).round(2)

# %% [markdown]
# One thing here is odd. To bring layer $l$ to the same range as the others, its weights should be divided by
# $s_l / s_{l-1}$. The released code divides by the factor $f_{l-1}$ that it applied to the layer below instead. For
# the second layer that is the same. From the third on it compounds: $f_3 = s_3 s_1 / s_2$ where $s_3 / s_2$ was meant.
# The thresholds were searched with this in place, so the package keeps it.
#
# ### Beta: only its ratio to alpha counts
#
# The thresholds have the unit of the potential, which is that of $\alpha$ times a weight. Doubling $\alpha_l$ and
# $\beta_l$ together doubles the potential and changes no spike. So $\beta_l / \alpha_l$ is what a layer really has:
# the summed weight that must arrive before a neuron fires. The last column above shows it. Of the four numbers
# searched for a network of three layers, $a$ and three thresholds, one is redundant.

# %%
base = replace(night, alpha=tuple(alphas))
twice = replace(base, alpha=tuple(2 * alphas), beta=tuple(2 * betas))
spikes = torch.from_numpy(rasters[0])
one, two = (run_layers(before, spikes, c).weights for c in (base, twice))
assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
print("alpha and beta doubled: the same sleep, to the last bit")

# %% [markdown]
# A threshold of **0 with $\ge$** is special, and some released parameters for rehearsal have it at the output. A
# resting neuron, with a potential of exactly 0, then fires in every step, with no input at all, and weakens all its
# synapses each time. With $>$ it stays silent.

# %%
nothing = torch.zeros(40, 4, dtype=torch.bool)  # 40 steps, no input spike
for rule, expected in {">=": 40, ">": 0}.items():
    rest = replace(gated, beta=0.0, strict=rule == ">")
    counts = torch.cat(run_layers(double, nothing, rest).spike_counts)
    assert (counts == expected).all()
    print(f"fires if v {rule:2} 0: {counts.tolist()} spikes")

# %% [markdown]
# ### The factor 2·dt·rate: a gain, not a frequency
#
# The released code draws a uniform random number $u$ for each input and step, divides it by $\mathrm{d}t\,r$ and then
# by 2, and lets the input fire if the result is at most $m_i$. Solved for $u$, this is {eq}`eq-input`, factor 2
# included:

# %%
rng = np.random.default_rng(seed)
u, m = rng.random(100_000), rng.random(100_000)
drive = night.dt * night.rate
assert np.array_equal(u / drive / 2 <= m, u <= 2 * drive * m)

# %% [markdown]
# There is one draw for each input and step: a Bernoulli trial, which the paper calls a Poisson process. With
# $\mathrm{d}t$ = 1 ms the rate reads as a frequency in Hz, but nothing else in a sleep knows of time. The leak is a
# factor per step, and so are inc and dec. The rate is a gain on the mean input, and only the product
# $2\,\mathrm{d}t\,r$ matters: the probability that an input fires whose mean is 1.

# %% tags=["hide-input"]
rates = {
    "MNIST": protocols.load("released", "mnist").sleep.night(0).rate,
    "Fashion-MNIST": protocols.load("released", "fashion_mnist").sleep.night(0).rate,
    "patches": protocols.load("released", "patches").sleep.night(1).rate,
    "cross-modal": 227.437205,  # these three from the released code
    "CIFAR-10": 453.020604,
    "CUB-200": 32.0,
}
rates = dict(sorted(rates.items(), key=lambda item: item[1]))
fig, ax = plt.subplots(figsize=(7.2, 2.5), layout="constrained")
bars = ax.barh([f"{name}, {rate:.0f} Hz" for name, rate in rates.items()], [0.002 * r for r in rates.values()])
ax.bar_label(bars, fmt="%.2f", padding=3)
ax.set(xlim=(0, 1), xlabel="spike probability per step of an input with mean 1")
figures.show(
    fig,
    "fig-gain",
    caption="What the released rates mean: the probability per step that an input with a mean of 1 fires, 2·dt·rate.",
    alt="Bar chart of spike probabilities per step: "
    + ", ".join(f"{name} {0.002 * r:.2f}" for name, r in rates.items()),
)

# %% [markdown]
# For MNIST, Fashion-MNIST and the cross-modal task the released code shows the network only a square of the mean
# image in each step, 11 × 11 pixels at a random place; the paper does not mention it. A pixel near the border lies in
# fewer of these squares than one in the middle, so the noise is weaker there ({numref}`fig-input`).

# %% tags=["hide-input"]
window, mean = night.window or 28, seen.mean(0).numpy().reshape(28, 28)
covered = np.convolve(np.ones(29 - window), np.ones(window)) / (29 - window)  # how often a row is in the square, (28,)
expected = np.minimum(1, 2 * night.dt * night.rate * mean) * np.outer(covered, covered)
observed = rasters[0].mean(0).reshape(28, 28)
per_step = rasters[0].sum(1)  # (steps,)
assert abs(per_step.mean() - expected.sum()) < 5 * per_step.std() / np.sqrt(steps)  # five standard errors

fig, axes = plt.subplots(1, 4, figsize=(7.2, 2.1), layout="constrained")
one_step = rasters[0][per_step.argmax()].reshape(28, 28)
panels = {"mean image": (mean, mean.max()), "spikes of one step": (one_step, 1),
          "expected rate": (expected, expected.max()), "observed rate": (observed, expected.max())}  # fmt: skip
for ax, (title, (image, scale)) in zip(axes, panels.items(), strict=True):
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=scale)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
figures.show(
    fig,
    "fig-input",
    caption="From the mean image to noise. The expected rate is the probability of a spike times that of lying in the square of "
    "a step; the observed one is counted over the whole sleep. These two share one scale of grey.",
    alt="Four square images: the mean image of the digits 0 to 3; the input spikes of one step, "
    f"{one_step.sum():.0f} pixels; the expected and the observed rate of spikes of every pixel, whose correlation is "
    f"{np.corrcoef(expected.ravel(), observed.ravel())[0, 1]:.2f}",
    data=pd.DataFrame({"expected": expected.ravel(), "observed": observed.ravel()}),
)

# %% tags=["hide-input"]
pages.say(
    f"In this sleep {per_step.mean():.1f} of the 784 inputs fired in a step on average; {expected.sum():.1f} were expected."
)

# %% [markdown]
# So few events are what makes a fast kernel possible: it adds up the weights of the inputs that fired, and touches the
# weights of a neuron only when the neuron fires.
#
# The page on [protocols](../book/protocols.md) lists all parameters of a sleep. To run this page again with
# others:
#
# ```bash
# nox -s notebook -- algorithm -p seed 7 -p steps 15000
# ```
