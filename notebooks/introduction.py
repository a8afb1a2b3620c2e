# %% [markdown]
# # Does sleep-like replay stop catastrophic forgetting?

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full

# %% tags=["hide-input"]
import os

import numpy as np
from IPython.display import HTML

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures, maps
from srclib.pages.recovery import recovery
from srclib.verdicts import statistics

page = pages.open("introduction", profile=profile)
levels = page.judged("table1/(mnist|fashion_mnist|cifar10|cross_modal)/").set_index("id")
claims = page.claims(55, 57, 58, 60, 61, 62, 63, 69, 71, 78, 86, 89, 94, 95).set_index("number")


def level(dataset, method):
    """Return the accuracy of a method as text."""
    row = levels.loc[f"table1/{dataset}/{method}"] if f"table1/{dataset}/{method}" in levels.index else None
    return "?" if row is None else f"{row.reproduced:.1f} ± {row.reproduced_sd:.1f} %"


def effect(dataset, method):
    """Return the effect of a method with its interval as text."""
    key = f"table1/{dataset}/{method}"
    if key not in levels.index:
        return "?"
    row = levels.loc[key]
    return f"{row.effect:+.1f} [{row.effect_low:+.1f}, {row.effect_high:+.1f}]".replace("-", "−")


READ = "alignment+thresholds+calibration+averaging+class_means+slda+random_features"
ON_TOP = "closed_form+calibration+averaging"
simple = page.collect("closed_form") | page.collect("without_sleep")


def ends(run, head=None):
    """Return the final accuracy on MNIST, each network with a task order of its own, as text."""
    return figures.spread(summary.final(simple.get(("mnist", run), []), head))


def said(number):
    """Return what came out of a claim, as text."""
    return claims.loc[number, "sentence"] if number in claims.index else ""


# %% tags=["hide-input"]
asleep, settled = (summary.final(simple.get(("mnist", run), [])) for run in ("src", "closed_form"))
alike = statistics.likeness(np.subtract(settled, asleep))
page.answer(
    {55: "differs", 60: "confirmed", "table1/cross_modal/src effect": "reversed"},
    f"**In part, and not everywhere.** A network that learns MNIST two digits at a time ends at "
    f"{level('mnist', 'sequential')} without sleep and at {level('mnist', 'src')} with it; the sleep gains on "
    f"Fashion-MNIST and CIFAR-10 as well, and costs accuracy on cross-modal MNIST ({effect('cross_modal', 'src')} points). "
    f"OWM keeps more ({level('mnist', 'owm')}), and so does a network that may learn everything at once "
    f"({level('mnist', 'parallel')}). A closed form without spikes, noise or parameters reaches {ends('closed_form')} % "
    f"where the sleep of the same networks reaches {ends('src')} % ({alike}). Ten mean images and no "
    f"network recognise {ends(READ, 'class means')} %.",
)

# %% tags=["hide-input"]
records = page.collect("fig2_recovery", only=["src"])
course = summary.phases(next(iter(records.values())))
HTML(recovery(course, ["0/1", "2/3", "4/5", "6/7", "8/9"]))

# %% [markdown]
# Accuracy on the test images of five pairs of digits, learned one after another, mean over networks; after every training
# the network sleeps ({doc}`fig2_recovery`). The book reproduces the paper that claims this, *Sleep-like unsupervised
# replay reduces catastrophic forgetting in artificial neural networks*, by Tadros, Krishnan, Ramyaa and Bazhenov
# {cite}`tadros2022`: every figure and table, beside the published values, each judged by a test
# ({doc}`verdicts`).
#
# ## Every verdict on one screen
#
# A number is a claim of the paper, and a link to its line. The first mark is the verdict under the authors' released
# code, the second that under the paper's text.

# %% tags=["hide-input"]
maps.chips(page.claims(both=True))

# %% tags=["hide-input"]
maps.legend()

# %% [markdown]
# ## Catastrophic forgetting
#
# A neural network that learns one task after another forgets: training on the new task overwrites weights that the old
# tasks need {cite}`mccloskey1989`. It is worst when classes arrive a few at a time and all must be told apart in the end,
# which is called class-incremental learning {cite}`vandeven2019`. A network that learned the ten digits in five pairs
# knows the last pair and none of the others.
#
# ## What the paper claims
#
# Sleep Replay Consolidation (SRC) lets the network sleep after each task. Its units become spiking neurons, noise drives
# them, and a local rule changes the weights: a synapse grows if both its neurons fire, and shrinks if only the receiving
# one does. No label and no old example takes part. All that is kept of the past is the mean of every input. The paper
# claims that
#
# - old tasks that seemed lost come back, on MNIST {cite}`lecun1998`, Fashion-MNIST {cite}`xiao2017` and other data sets
#   (Table 1, Fig. 2);
# - in a small network one can see how: sleep weakens the synapses that confuse an old pattern with a new one (Fig. 1);
# - sleep adds to methods that keep some old examples, such as rehearsal and iCaRL {cite}`rebuffi2017`, and lets them do
#   with fewer (Fig. 3, Table 2);
# - it does better in class-incremental learning than methods that protect important weights, EWC {cite}`kirkpatrick2017`
#   and SI {cite}`zenke2017`, and slightly less well than OWM {cite}`zeng2019` on most tasks;
# - it works by replay: neurons of old tasks fire again in sleep, and the tasks come to use different neurons (Figs. 4 to 6).
#
# Where the text and the authors' released code {cite}`tadroscode` disagree, both are run ({doc}`../book/protocols`).
#
# ## What comes out

# %% tags=["hide-input"]
pages.say(f"""
- **Old tasks come back in part.** Sleep against none, in points, with the 95 % interval: MNIST {effect("mnist", "src")},
  Fashion-MNIST {effect("fashion_mnist", "src")}, CIFAR-10 {effect("cifar10", "src")}. With four hidden layers
  ({said(94).rstrip(".")}) and in a network that spikes while it learns they come back, too
  ({{doc}}`supplement_four_layers`, {{doc}}`supplement_spiking`).
- **Not everywhere.** {said(55)} On cross-modal MNIST the published control never saw the task that it should forget;
  against one that did, sleep costs accuracy ({{doc}}`table1_cross_modal`). CUB-200 was tested on training images
  ({{doc}}`table1_cub`).
- **Others keep more, some keep less.** Against EWC: {said(57)} OWM less SRC: {said(60)} ({{doc}}`table1_accuracy`).
- **Beside stored images.** SRC with rehearsal less rehearsal: {said(63)} With iCaRL: {said(69)}
  ({{doc}}`fig3_rehearsal`, {{doc}}`table2_icarl`).
- **The simplest controls are hard to beat.** With random task orders on MNIST the sleep ends at {ends("src")} %. One
  product of a matrix and a vector a layer, without spikes, noise or parameters, ends at {ends("closed_form")} %
  ({{doc}}`what_a_sleep_does`), and at {ends(ON_TOP, "z-scored")} % where outputs are measured by their response to noise.
  Ten mean images without a network recognise {ends(READ, "class means")} % ({{doc}}`without_sleep`).
- **It is less a replay than a weakening.** The half of the rule that takes weight away from synapses does nearly all of it
  alone ({{doc}}`searches`). Neurons of old tasks do fire in sleep; whether that is what helps, the paper's test cannot
  tell ({{doc}}`fig6_replay`).
- **The text is not the code.** Two things that the text does not have, a gate on plasticity and a small moving window of
  noise, decide whether the released sleep works at all ({{doc}}`disagreements`).
""")

# %% [markdown]
# ## Where the published numbers come from
#
# The bodies of Tables 1 to 3 and the Supplement could not be read at their source. What the text prints is quoted from
# it; the other cells come from six secondary notes that quote the tables, each with the confidence that cross-checks
# allow. Every published number shows its source where it stands: hover over the small letter beside it, or move the focus
# to it. A cell that nobody quotes is left empty, never filled in.
#
# ## What each page holds
#
# | page | what you find there |
# | --- | --- |
# | {doc}`claims`, {doc}`status`, {doc}`verdicts` | every claim with its verdict, all verdicts on one screen, and what a verdict is worth |
# | {doc}`algorithm` | SRC in equations and in five lines of code, and a real sleep spike by spike |
# | {doc}`fig1_patches`, {doc}`fig2_recovery` | Figs. 1 and 2: does it happen, and what it does to single weights |
# | {doc}`table1_accuracy`, {doc}`table1_cross_modal`, {doc}`table1_cifar10`, {doc}`table1_cub` | Table 1: every method on every data set |
# | {doc}`fig3_rehearsal`, {doc}`table2_icarl`, {doc}`supplement7_epochs` | beside stored images: how much memory and training a sleep saves |
# | {doc}`robustness`, {doc}`task2_length`, {doc}`supplement2_batches`, {doc}`supplement5_undertrained`, {doc}`supplement_four_layers`, {doc}`supplement_spiking` | how far it carries: other seeds, orders, parameters, lengths, networks |
# | {doc}`fig4_correlations`, {doc}`fig5_input`, {doc}`fig6_replay` | how it works, from within |
# | {doc}`../book/protocols`, {doc}`disagreements`, {doc}`table3_parameters`, {doc}`searches` | text against code, and where every parameter comes from |
# | {doc}`what_a_sleep_does` | the change that a sleep makes, in closed form and without a spike, and how near to the sleep it comes |
# | {doc}`without_sleep` | what other methods reach that keep as little of the past, and what it costs to reach more |
# | {doc}`../book/after_the_paper` | what followed, by what each method keeps of the past |
# | {doc}`lab` | a sleep to play with, in the browser |
# | {doc}`best_sleep` | how much further the same idea goes when the choices around it are searched |
# | {doc}`own_network`, {doc}`speed`, {doc}`../book/reexecute`, {doc}`../book/api` | use it on your own network, and run any of this again |
#
# ## Who it is for
#
# - **A reader** needs nothing but this site. Every figure has a caption, a text alternative and its data.
# - **A researcher** runs a page again with other parameters, adds a protocol, or puts {func}`srclib.sleep.sleep` into a
#   PyTorch training loop of their own ({doc}`own_network`).
# - **Continuous integration** rebuilds every figure from nothing, as far as the data are in the repository, treats each
#   warning as an error, and fails when a verdict moves.
#
# ## How to cite
#
# Cite the paper for the method {cite}`tadros2022`. If a number or a figure of this book serves you, cite the book as
# well: `CITATION.cff` in the repository has the entry, and the provenance at the foot of each page names the commit. Code
# is under the MIT licence, text and figures under CC BY 4.0.

# %% tags=["hide-input"]
repository = os.environ.get("SRCLIB_REPOSITORY", "")
pages.say(f"The repository: <{repository}>." if repository else "")

# %% tags=["hide-input"]
page.provenance()
