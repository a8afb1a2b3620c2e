# %% [markdown]
# # What can be had without sleep?
#
# **Claim.** Sleep recovers old tasks with nothing kept of them {cite}`tadros2022`.
#
# It keeps the mean input, 784 numbers for images of 28 × 28 pixels. What do other methods reach that keep as little, and
# what does it cost to reach more? All networks are trained as released and each has a task order of its own; every choice
# was made on held-out training images of other networks.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from srclib import pages
from srclib.data import STREAMS
from srclib.experiments import summary
from srclib.pages import figures, tables
from srclib.verdicts import statistics

page = pages.open("without_sleep", profile=profile, seeds=seeds)
own = page.records
asleep = page.collect("closed_form")
known = page.collect("table1_orders") if profile == "full" else {}
READ = "alignment+thresholds+calibration+averaging+class_means+slda+random_features"
ON_TOP = "closed_form+calibration+averaging"
MEAN, COPY, STATISTICS, IMAGES = "the mean input", "a copy of the network", "statistics", "images"
METHODS = {  # name: what is kept, run, head, parts whose numbers count
    "no sleep": ("nothing", "sequential", None, ()),
    "aligned norms (WA)": ("nothing", READ, "aligned", ("alignment",)),
    "SRC": (MEAN, "src", None, ()),
    "closed form": (MEAN, "closed_form", None, ()),
    "centred outputs": (MEAN, READ, "centred", ("calibration",)),
    "z-scored outputs": (MEAN, READ, "z-scored", ("calibration",)),
    "thresholds": (MEAN, READ, "thresholds", ("thresholds",)),
    "thresholds, z-scored": (MEAN, READ, "thresholds, z-scored", ("thresholds",)),
    "closed form, z-scored": (MEAN, ON_TOP, "z-scored", ("closed_form", "calibration")),
    "averaged weights": (COPY, READ, "averaged", ("averaging",)),
    "averaged weights, z-scored": (COPY, READ, "averaged, z-scored", ("averaging",)),
    "closed form, averaged": (COPY, ON_TOP, "averaged", ()),
    "closed form, averaged, z-scored": (COPY, ON_TOP, "averaged, z-scored", ()),
    "class means (NCM)": (STATISTICS, READ, "class means", ("class_means",)),
    "SLDA": (STATISTICS, READ, "slda", ("slda",)),
    "random features": (STATISTICS, READ, "random features", ("random_features",)),
    "EWC": (COPY, "ewc", None, ()),
    "SI": (COPY, "si", None, ()),
    "OWM": (STATISTICS, "owm", None, ()),
    "rehearsal 0.75 %": (IMAGES, "rehearsal", None, ()),
}
KINDS = dict(
    zip(["nothing", MEAN, COPY, STATISTICS, IMAGES], ["0.6", *plt.cm.viridis([0.0, 0.3, 0.6, 0.88])], strict=True)
)


def records_of(dataset, run):
    """Return the records of a run, [] if the profile has none."""
    for place in (own, asleep, known):
        if (dataset, run) in place:
            return place[dataset, run]
    return []


def reached(dataset):
    """Return by method what is kept, how many numbers, and the final accuracies of the networks in percent."""
    past = STREAMS[dataset].train * 4 // 5  # images of the four tasks before the last
    return {
        name: (kind, summary.kept(records[0], past, *parts), np.array(summary.final(records, head)))
        for name, (kind, run, head, parts) in METHODS.items()
        if (records := records_of(dataset, run))
    }


found = {dataset: reached(dataset) for dataset in own.datasets}


def best(dataset, *kinds):
    """Return the method of some kinds with the highest mean, and its accuracies in words."""
    among = {name: values for name, (kind, _, values) in found[dataset].items() if kind in kinds}
    name = max(among, key=lambda name: statistics.mean(among[name]))
    return f"{name} ({figures.spread(among[name])} %)"


def against(dataset, name, other="SRC"):
    """Return the paired difference of two methods on the networks that both have, as text."""
    one, two = found[dataset][name][2], found[dataset][other][2]
    n = min(len(one), len(two))
    return figures.change(one[:n], two[:n])


pages.say(
    "**Verdict.** "
    + " ".join(
        f"{figures.DATASETS[dataset]}: the sleep ends at {figures.spread(found[dataset]['SRC'][2])} %. "
        f"Of all that keeps the mean input alone, the best is {best(dataset, MEAN)}, with a copy of the network "
        f"{best(dataset, COPY)}. Class means, without any network, reach "
        f"{figures.spread(found[dataset]['class means (NCM)'][2])} %."
        for dataset in found
    )
)

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, len(found), figsize=(10, 4.6), sharey=True, squeeze=False, layout="constrained")
LEFT = 100  # where a method stands that keeps nothing
for ax, (dataset, methods) in zip(axes[0], found.items(), strict=True):
    for number, (name, (kind, kept, values)) in enumerate(methods.items(), 1):
        x, mean = max(kept, LEFT) * 1.06 ** (number % 5 - 2), statistics.mean(values)
        found_mean = statistics.of_mean(statistics.Sample.of(values))
        if np.isfinite(found_mean.half):
            ax.plot([x, x], [found_mean.low, found_mean.high], color=KINDS[kind], lw=1.5)
        ax.plot(x, mean, "s" if name in ("SRC", "closed form") else "o", color=KINDS[kind], mec="k", mew=0.5, ms=6)
        ax.annotate(str(number), (x, mean), (5, 2), textcoords="offset points", size=8)
    ax.set(xscale="log", ylim=(0, 100), title=figures.DATASETS[dataset], xlabel="numbers kept of the past")
    ax.grid(color="0.92")
axes[0, 0].set_ylabel("final accuracy (%)")
for kind, color in KINDS.items():
    axes[0, -1].plot([], [], "o", color=color, label=kind)
axes[0, -1].legend(loc="lower right", fontsize=8)
figures.show(
    fig,
    "fig-without-sleep",
    caption="Final accuracy over all classes against how many numbers are kept of the past; mean and 95 % interval over networks. Colours: what is kept. Methods that keep nothing stand at the left edge.",
    alt="Final accuracy against the number of numbers kept of the past on a logarithmic axis, a panel for each data set; means "
    "in percent: "
    + ". ".join(
        f"{figures.DATASETS[dataset]}: "
        + ", ".join(f"{name} {statistics.mean(v):.0f}" for name, (_, _, v) in methods.items())
        for dataset, methods in found.items()
    ),
)


# %% tags=["hide-input"]
def table(dataset):
    """Return the table of a data set; its numbers are those in the figure."""
    return tables.plain(
        {
            f"{number}. {name}": {
                "keeps": kind,
                "numbers": f"{kept:,}",
                "networks": len(values),
                "accuracy": figures.spread(values),
                "less SRC": "–" if name == "SRC" else against(dataset, name),
            }
            for number, (name, (kind, kept, values)) in enumerate(found[dataset].items(), 1)
        },
        label=f"Accuracy and memory, {figures.DATASETS[dataset]}",
    )


table("mnist")

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks, and the difference to the sleep of the same networks
# with its 95 % interval, paired (Student's t). Numbers kept are those that a method needs of the past when the next task
# begins; of images, with their labels. EWC, SI, OWM and rehearsal have the networks of {doc}`table1_accuracy`.
#
# ## What it means


# %% tags=["hide-input"]
def line(dataset):
    """Return what the table of a data set says about its questions."""
    on_top = against(dataset, "closed form, z-scored", "closed form")
    return (
        f"**{figures.DATASETS[dataset]}.** Measuring each output by its response to noise, without any sleep, is "
        f"{against(dataset, 'z-scored outputs')} points from the sleep; on top of the closed form it adds {on_top}. "
        f"Averaged weights alone are {against(dataset, 'averaged weights')} from the sleep. "
        f"Aligned norms gain {against(dataset, 'aligned norms (WA)', 'no sleep')} over no sleep."
    )


pages.say("\n\n".join(line(dataset) for dataset in found))

# %% [markdown]
# **A network is no good way to keep so little.** Ten mean images and no network at all do better than anything that a
# network does with its own weights and the mean input, and a shared covariance or fixed random features, which are sums
# over images and forget nothing by construction, do better still. These data sets are easy for
# them: images of one class lie close together, as they are. What sleep is compared with in the paper, all of it trained
# end to end, leaves that out.
#
# **Forgetting is in the outputs first.** What brings the most for the mean input alone are two corrections on top of each
# other: less excitation of the hidden neurons, and outputs that are measured by what noise makes of them.
#
# Distillation on new images (LwF) and pseudo-rehearsal on noise are methods of this book, too; their runs, and those on
# other data sets, have not been computed yet. Each method's equation, source and settings stand in its file in `srclib/learning/methods/`.
#
# ## Provenance

# %% tags=["hide-input"]
page.provenance("seeds 2")
