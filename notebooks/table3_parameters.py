# %% [markdown]
# # Table 3: network and training parameters
#
# **Claim.** The networks and their training have the parameters of Table 3 {cite}`tadros2022`.
#
# The paper and its code {cite}`tadroscode` agree on the size of the networks and differ in training: ten epochs against
# two on MNIST and Fashion-MNIST and four on CIFAR-10, initial weights twice as large, and another loss. Below, what the
# paper says, what the code does, and what the two protocols of this book hold, side by side and read from their files.

# %% tags=["parameters"]
datasets = ["mnist", "fashion_mnist", "cross_modal", "cifar10", "cub200"]

# %% tags=["hide-input"]
import pandas as pd

from srclib import pages
from srclib.experiments import protocols
from srclib.pages import figures, tables
from srclib.verdicts import published

page = pages.open(
    "table3_parameters", datasets=pages.some_of(datasets, "mnist", "fashion_mnist", "cross_modal", "cifar10", "cub200")
)
values = published.load()["value"]


# %% tags=["hide-input"]
def stated(*keys):
    """Return the first of these published values that is known, as text."""
    known = [values[key] for key in keys if key in values.index and values[key] == values[key]]
    return f"{known[0]:g}" if known else "n/a"


def held(name, dataset):
    """Return the parameters of a protocol by quantity, as text; empty where it has none for the data set."""
    if dataset not in protocols.datasets(name):
        return {}
    protocol = protocols.load(name, dataset)
    awake = protocol.awake
    found = dict(zip(("inputs", "hidden1", "hidden2", "outputs"), awake.layers, strict=True)) | {
        "classes_per_task": protocol.classes_per_task,
        "epochs_per_task": awake.epochs,
        "learning_rate": awake.lr,
        "momentum": awake.momentum,
        "dropout": awake.dropout,
        "batch_size": awake.batch,
        "init_range": awake.init,
    }
    return {quantity: f"{value:g}" for quantity, value in found.items()} | {
        "images_per_task": str(awake.images_per_task or "all"),
        "loss": {"relu_mse": "squared error, rectified outputs", "softmax_ce": "softmax, cross-entropy"}[awake.loss],
    }


names = {
    "inputs": "inputs",
    "hidden1": "hidden units, layer 1",
    "hidden2": "hidden units, layer 2",
    "outputs": "outputs",
    "classes_per_task": "classes a task",
    "images_per_task": "images a task",
    "epochs_per_task": "epochs a task",
    "batch_size": "batch",
    "learning_rate": "learning rate",
    "momentum": "momentum",
    "dropout": "dropout",
    "init_range": "initial weights, ±",
    "loss": "loss",
}

# %% tags=["hide-input"]
rows = []
for dataset in datasets:
    described, released = held("described", dataset), held("released", dataset)
    worded = {"loss": {"paper": "cross-entropy", "code": released["loss"]}}  # published values are numbers
    for quantity, name in names.items():
        rows.append(
            {
                "data set": figures.DATASETS[dataset],
                "parameter": name,
                "paper": stated(f"table3/{dataset}/{quantity}", f"text/{dataset}/{quantity}"),
                "described": described.get(quantity, "–"),
                "code": stated(f"release/{dataset}/{quantity}"),
                "released": released.get(quantity, "–"),
            }
            | worded.get(quantity, {})
        )
tables.plain(pd.DataFrame(rows).set_index(["data set", "parameter"]))

# %% [markdown]
# n/a: not stated, or not available. The body of Table 3 could not be read at its source: its values are those that the
# text quotes. Where the paper is silent, `described` takes what the code has, but for the images: it trains on all images
# of a task. On MNIST and Fashion-MNIST the code trains on the first 5,000 images of a task, which the paper does not mention.
#
# ## The sleep
#
# The paper gives no number. `released` has those of the scripts, `described` those that a search found
# ({doc}`../book/protocols`), for CUB-200 on 50 of its classes only ({doc}`table1_cub`); a sleep after each task stands
# in a row of its own where they differ. The control on CUB-200 has the learning rate 0.1; with SRC its second task has
# 0.01. The result of the first of its two sleeps is not used.

# %% tags=["hide-input"]
rows = []
for name in ("released", "described"):
    for dataset in [dataset for dataset in datasets if dataset in protocols.datasets(name)]:
        sleep = protocols.load(name, dataset).sections.get("sleep")
        for task, steps in enumerate(sleep.steps if sleep else ()):
            config = sleep.night(task)
            rows.append(
                {
                    "protocol": name,
                    "data set": figures.DATASETS[dataset],
                    "after task": task + 1,
                    "steps": f"{config.steps:,}" + f" (of {steps:,})" * (config.steps < steps) if config else "none",
                    **({} if config is None else {
                        "rate (Hz)": f"{config.rate:.0f}",
                        "inc": f"{config.inc:.2g}",
                        "dec": f"{config.dec:.2g}",
                        "scale": f"{config.alpha:.3g}",
                        "thresholds": ", ".join(f"{beta:.3g}" for beta in config.per_layer("beta", 3)),
                        "window": f"{config.window} × {config.window}" if config.window else "whole image",
                    }),
                }
            )  # fmt: skip
tables.plain(rows, missing="")

# %% [markdown]
# inc and dec: change of a weight when both units fire, and when only the receiving one does. Scale: factor on the
# weights of the sleeping network, beside each layer's own. Thresholds: of the membrane potential, layer by layer.
