# %% [markdown]
# # The sleep lab

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full

# %% tags=["hide-input"]
from IPython.display import HTML

from srclib import pages
from srclib.experiments.lab import HIDDEN
from srclib.pages.lab import lab
from srclib.verdicts import published

page = pages.open("lab", profile=profile)
values = published.load()["value"]
levels = page.judged("table1/mnist/src").set_index("id")
ours = levels["reproduced"].get("table1/mnist/src")
wide = "" if ours is None else f" (the full network ends at {ours:.0f} % in this book)"

# %% tags=["hide-input"]
pages.say(
    "Choose a network that has just learned a task and forgotten the others, press **Start**, and watch what comes back. "
    f"It has {HIDDEN} units in each hidden layer, a sixth of the paper's, so that it loads fast; it recovers less "
    f"with the released parameters{wide}."
)

# %% tags=["hide-input"]
HTML(lab({"mnist": values["table1/mnist/src"]}))

# %% [markdown]
# ## What runs here
#
# The network is one of those that `python -m srclib lab` trains, task after task with a sleep after each, as the protocol
# of its name says ({doc}`../book/protocols`). It is kept as it was after its last training and before the sleep that
# follows. Its weights are rounded to half precision; those of Fig. 1 are networks for {doc}`binary patches <fig1_patches>`.
#
# The sleep runs in your browser, in single precision and in the order of the kernel of the package
# ({doc}`algorithm`): noise and spikes are the same, one by one, and a test of the book compares them. So a link to a
# setting says what anybody will see, and this gives the same sleep in Python:
#
# ```python
# from srclib.experiments.lab import read, sleeps
# from srclib.sleep import SleepConfig, run_layers
# import torch
#
# entry, mean, weights = read("mnist_released_5")
# settings = sleeps()["mnist"]["released"][entry["task"] - 1]
# config = SleepConfig(**settings).scaled(entry["scales"])
# noise = config.noise(mean, (0, entry["task"] - 1))
# layers = [torch.tensor(w.astype("float32")) for w in weights]
# record = run_layers(layers, noise, config)
# ```
#
# The **closed form** sleeps without spikes, noise, steps or parameters: from the bottom up, the negative weights of each
# hidden neuron are lowered by one number, so that the mean input no longer excites it. Accuracy is that on some test
# images of every class, not on all of them. Time has more room at its beginning, where most happens. A tick on a slider is the value of the released code, and a tick on a bar of
# accuracy where the network stood before; the paper's value is the dashed line.
