# %% [markdown]
# # Table 1: final accuracy of every method
#
# **Claim.** After five tasks of two classes each, a network trained without sleep knows only the last task. With sleep
# it knows more than twice as many of the ten classes, more than with EWC {cite}`kirkpatrick2017` or SI
# {cite}`zenke2017` and nearly as many as with OWM {cite}`zeng2019`. A few old images, rehearsed, help; together with
# sleep they help much more {cite}`tadros2022`.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
protocol = "released"  # released or described
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from srclib import pages
from srclib.experiments import summary
from srclib.learning import methods
from srclib.pages import figures, tables
from srclib.search import outcomes
from srclib.verdicts import published

page = pages.open("table1_accuracy", profile=profile, protocol=protocol, seeds=seeds)
records = page.records
collected = {"random orders": records}
if protocol == "released":
    collected = {"released order": records, "random orders": page.collect("table1_orders")}
other = page.other.collect("table1_accuracy")


# %% tags=["hide-input"]
def printed(key):
    """Return a published value as text."""
    value = values.loc[key, "value"]
    return "n/a" if np.isnan(value) else f"{value:g}"


def label(run):
    """Return what the tables call a run."""
    name, _, variant = run.partition("/")
    return methods.find(name).label + (f", {variant.replace('_', ' ')}" if variant else "")


def ends(dataset, run, records=records):
    """Return the final accuracy of a run as text."""
    return figures.spread(summary.final(records.get((dataset, run), [])))


def change(dataset, run, control, records=records):
    """Return the mean difference of two runs with its interval as text."""
    return figures.change(*(summary.final(records.get((dataset, name), [])) for name in (run, control)))


plain = list(dict.fromkeys(run for _, run in records if "/" not in run))
values = published.load()

# %% tags=["hide-input"]
page.answer(
    {55: "differs", 57: "confirmed", 58: "confirmed", 60: "confirmed"},
    f"Sleep adds {change('mnist', 'src', 'sequential')} points to sequential training on MNIST and "
    f"{change('fashion_mnist', 'src', 'sequential')} on Fashion-MNIST (95 % intervals), but not on every data set of the "
    f"table ({{doc}}`table1_cross_modal`). EWC and SI stay below it; OWM ends {change('mnist', 'owm', 'src')} and "
    f"{change('fashion_mnist', 'owm', 'src')} points above it, where the paper says slightly.",
)

# %% tags=["hide-input"]
shown = records.datasets
fig, axes = plt.subplots(1, len(shown), figsize=(7.2, 3.9), sharey=True, squeeze=False, layout="constrained")
for ax, dataset in zip(axes[0], shown, strict=True):
    for row, run in enumerate(plain):
        color = figures.COLORS["sleep"] if run.startswith("src") else figures.COLORS["task 1"]
        for found, shift in zip(collected.values(), (0, 0.25), strict=False):
            if (dataset, run) in found:
                face = color if not shift else "none"
                figures.dots(ax, row + shift, summary.final(found[dataset, run]), color, mfc=face)
        figures.published(ax, row - 0.22, values.loc[f"table1/{dataset}/{run}"])
    ax.set(title=figures.DATASETS[dataset], xlabel="final accuracy (%)", xlim=(0, 102))
    ax.grid(axis="x", color="0.92")
figures.name_rows(axes[0, 0], [label(run).replace(" + ", " +\n") for run in plain])
figures.show(
    fig,
    "fig-table1",
    caption="Final accuracy of every network, in the released task order (filled) and in task orders drawn at random "
    "(open), beside the published mean ± standard deviation (grey squares; not every cell of the table is available)."
    if protocol == "released"
    else "Final accuracy of every network, each with its own task order, beside the published mean ± standard deviation "
    "(grey squares; not every cell of the table is available).",
    alt="Final accuracies in percent, one dot per network. "
    + " ".join(
        f"{figures.DATASETS[dataset]}: " + "; ".join(f"{label(run)} {ends(dataset, run)}" for run in plain) + "."
        for dataset in shown
    ),
)

# %% [markdown]
# The number is the fraction of all test images that are classified correctly among ten classes when everything has
# been learned, {eq}`eq-accuracy` taken over all tasks.
#
# ## Published and reproduced

# %% tags=["hide-input"]
page.verdicts("table1/")

# %% [markdown]
# ## The whole table
#
# Reproduced mean ± standard deviation over networks, with the published value in brackets; n/a: it could not be read at
# its source, and is not filled in. A dash: not computed in this edition. CUB-200 has two tasks, and two numbers;
# ours are for 50 of its classes ({doc}`table1_cub`).

# %% tags=["hide-input"]
columns = ["mnist", "fashion_mnist", "cross_modal", "cifar10", "cub200"]
ours = {
    row["id"]: f"{row['reproduced']:.1f} ± {row['reproduced_sd']:.1f}" if row["n"] else "diverged"
    for row in page.judged("table1/").to_dict("records")
}
rows = {}
for run in ("sequential", "ewc", "si", "owm", "src", "rehearsal", "src+rehearsal", "parallel"):
    for dataset in columns:
        keys = [key for key in values.index if key.startswith(f"table1/{dataset}/{run}")]
        keys = [key for key in keys if key.removeprefix(f"table1/{dataset}/").partition("/")[0] == run]
        known = ", ".join(ours.get(key, "–") for key in keys)
        rows.setdefault(label(run), {})[figures.DATASETS[dataset]] = f"{known} ({', '.join(map(printed, keys))})"
tables.plain(rows, label="The whole table")

# %% [markdown]
# ## Why EWC and SI end where sequential training does
#
# Both hold the weights that an old task needs, so that its outputs change little for its own inputs. In
# class-incremental learning that is not enough: the old classes are never trained against the new ones, and while a new
# task is learned every output of an old class is pushed down, whatever the input. The outputs of the last task then win
# for every image, which is right for two classes in ten {cite}`vandeven2019`.
#
# That does not depend on the setting. The settings of the three methods in the paper are not available, so each was
# searched on training images held out of training ({func}`srclib.search.conduct.conduct`); what that cost stands below. `published`
# are the settings of the code that the paper refers to for EWC and SI, and of the authors of OWM. For EWC and SI the
# search ends where the penalty has no effect: nothing that it tried is better than sequential training. OWM, which
# changes weights only in directions that old inputs do not excite, gains much by it.

# %% tags=["hide-input"]
rows = []
for run in [run for run in plain if f"{run}/published" in {r for _, r in records}]:
    for dataset in records.datasets:
        found = outcomes.outcome(f"{protocol}_mnist_{run}")
        study = f"{found['study']['trials']} trials, {found['provenance']['core_minutes']:.0f} core-minutes, on MNIST"
        rows.append(
            {
                "method": label(run),
                "data set": figures.DATASETS[dataset],
                "published setting": ends(dataset, f"{run}/published"),
                "setting found": ends(dataset, run),
                "searched": study,
                "value found": ", ".join(f"{k} {v:.3g}" for k, v in found["stages"][0]["values"].items()),
            }
        )
tables.plain(rows, empty=tables.ABSENT, label="Settings of EWC, SI and OWM")

# %% [markdown]
# Final accuracy in percent, mean ± standard deviation over networks. Those whose training diverged, which leaves one class
# in ten, are counted apart.
#
# ## Task orders
#
# The paper's five runs differ in the order of the tasks; the released scripts keep one order. Both were run.

# %% tags=["hide-input"]
rows = {}
for order, found in collected.items():
    for (dataset, run), group in found.items():
        if "/" not in run:
            column = f"{figures.DATASETS[dataset]}, {order}"
            rows.setdefault(label(run), {})[column] = figures.spread(summary.final(group))
tables.plain(rows, missing="–", label="Task orders")

# %% [markdown]
# ## The paper's text
#
# The protocol `described` takes the text at its word: softmax cross-entropy, ten epochs, all images of a task, rehearsal
# with a weighted loss, the rule of Algorithm 1 without a gate or a leak, and a random task order for every network
# ({doc}`../book/protocols`). The text gives no parameters of the sleeps, so they come from {doc}`searches of our own
# <searches>`, one without rehearsal and one with it. EWC and SI have settings that were not searched, OWM that of its
# authors.

# %% tags=["hide-input"]
page.other.verdicts("table1/")

# %% tags=["hide-input"]
counted = {
    view.protocol: ", ".join(
        f"{count} {verdict}"
        for verdict, count in view.judged("table1/(mnist|fashion_mnist)/")
        .query("published == published")
        .verdict.value_counts()
        .items()
    )
    for view in (page.other, page)
}
pages.say(f"""
**The published table is nearer to that of the text.** The verdicts on those values of MNIST
and Fashion-MNIST that are known: by the text {counted["described"]}; as released {counted["released"]}. Parallel training agrees on both, where the released
scripts fall short. SRC with rehearsal on Fashion-MNIST stands above its published value.

**What sleep adds to rehearsal is small on MNIST and Fashion-MNIST.** With ten epochs and old images that count as much as
new ones, 0.75 % of the old images alone bring MNIST to {ends("mnist", "rehearsal", other)} %; the published value of SRC
with rehearsal is {printed("table1/mnist/src+rehearsal")} %. The sleeps that a search found beside rehearsal helped its own
networks on held-out images ({{doc}}`searches`). On other networks they change MNIST by
{change("mnist", "src+rehearsal", "rehearsal", other)} points, which decides nothing, and Fashion-MNIST by
{change("fashion_mnist", "src+rehearsal", "rehearsal", other)}; {{doc}}`fig3_rehearsal` has the pairs, also for CIFAR-10
({{doc}}`table1_cifar10`). The published value of rehearsal alone is not available.

**OWM** at its authors' setting keeps {ends("mnist", "owm", other)} % of MNIST and {ends("fashion_mnist", "owm", other)} % of
Fashion-MNIST: {change("mnist", "owm", "src", other)} and {change("fashion_mnist", "owm", "src", other)} points more than SRC,
without an old image and without a search. From rehearsal it differs by {change("mnist", "owm", "rehearsal", other)} and
{change("fashion_mnist", "owm", "rehearsal", other)} points. EWC differs from sequential training by
{change("mnist", "ewc", "sequential", other)} and {change("fashion_mnist", "ewc", "sequential", other)} points, SI by
{change("mnist", "si", "sequential", other)} and {change("fashion_mnist", "si", "sequential", other)}; of these four
intervals none excludes zero.
""") if protocol == "released" else pages.say("The sentences about the text are written for the page as it is built.")

# %% [markdown]
# ## What explains the differences

# %% tags=["hide-input"]
pages.say(f"""
**Parallel training.** The released script trains for two epochs, the paper says ten. The rectified output with a squared
error learns slowly: after two epochs it is short of the published accuracy, with the text's ten epochs and its own loss it
reaches it.

**SRC.** The released script takes the mean input and the layer scales over every image of the classes seen, about 12,000 a
task, although the network was trained on the first 5,000; the paper says that they come from the inputs seen in training.
That change is below as *trained statistics*. All images instead of these change the end by
{change("mnist", "src", "src/trained_statistics")} points on MNIST and by
{change("fashion_mnist", "src", "src/trained_statistics")} on Fashion-MNIST: with these networks, undecided
({{doc}}`Figure 2 <fig2_recovery>` has all phases). The parameters of the released sleep were found for one task order; the
table of task orders above has what they reach in others.

**Rehearsal.** The published {printed("table1/mnist/src+rehearsal")} % and {printed("table1/fashion_mnist/src+rehearsal")} %
of SRC with 0.75 % rehearsal are far above what the released scripts give at that fraction. 0.75 % is none of the fractions
in the released sweep, which rounds to whole hundreds of images: here 100, 200, 300 and 400 old images in tasks 2 to 5, each
seen twice, with the loss unweighted. There sleep adds {change("mnist", "src+rehearsal", "rehearsal")} and
{change("fashion_mnist", "src+rehearsal", "rehearsal")} points to rehearsal. The text has ten epochs and a weighted loss, and
with these rehearsal alone ends at {ends("mnist", "rehearsal", other)} % and
{ends("fashion_mnist", "rehearsal", other)} %. {{doc}}`Figure 3 <fig3_rehearsal>` has more fractions.

**EWC and SI.** The published values on MNIST, {printed("table1/mnist/ewc")} % and {printed("table1/mnist/si")} %, stand
above sequential training. With the released training no setting that was tried explains them. At the
strength of the code that the paper refers to, EWC diverges here: with learning rate $\\eta$ and momentum $\\mu$, gradient
descent is unstable where $\\eta \\lambda F > 2 (1 + \\mu)$.

**OWM.** Its published values are not available; the paper says that it is slightly better than SRC on most tasks. At its
authors' setting, with the released training, it ends {change("mnist", "owm/published", "src")} points from SRC on MNIST and
{change("fashion_mnist", "owm/published", "src")} on Fashion-MNIST. With the setting that a short search finds, and by the
paper's text with its authors' setting, OWM is above SRC on both data sets, so the comparison rests on how OWM was tuned.
""") if protocol == "released" else pages.say("The differences are explained for the released scripts.")

# %% [markdown]
# **Fair comparison.** Parallel training sees all 60,000 images, the others 5,000 a task, 25,000 in all. The published
# standard deviations of sequential and parallel training are printed as fractions and read here as such (.002 is a
# fifth of a point). With rectified outputs an image that excites no output counts as class 0, as in the released code; where the
# task with class 0 is not the last one, this can lift an accuracy by up to a tenth of all images.
#
# ## Accuracy of every task at the end

# %% tags=["hide-input"]
rows = []
for (dataset, run), group in records.items():
    last = summary.last_phase(group).groupby("tested").accuracy
    each = {f"task {k + 1}": figures.spread(accuracies) for k, accuracies in last}
    rows.append({"data set": figures.DATASETS[dataset], "method": label(run)} | each)
tables.plain(rows, label="Accuracy of every task")

# %% [markdown]
# Accuracy in percent, mean ± standard deviation over networks.
#
# ## Provenance

# %% tags=["hide-input"]
page.provenance("profile ci")
