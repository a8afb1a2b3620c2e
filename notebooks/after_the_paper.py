# %% [markdown]
# # After the paper
#
# What followed {cite}`tadros2022`, with what each method keeps of the past, since that decides what it can be compared
# with. Nothing here is reproduced but what the last section says.
#
# ## Sleep, from the same laboratory
#
# | work | what it adds | kept of the past |
# | --- | --- | --- |
# | [Golden et al. 2022](https://doi.org/10.1371/journal.pcbi.1010628) | a spiking network that learns two foraging tasks by reward; sleep-like reactivation between bouts of the new task keeps the old one | nothing but the network |
# | [arXiv 2402.10956](https://arxiv.org/abs/2402.10956) | sleep after training on 0.5 to 10 % of MNIST and Fashion-MNIST: a gain there, a slight loss with more data | the mean input |
# | [arXiv 2410.16154](https://arxiv.org/abs/2410.16154) | the same with some tasks in turn | the mean input |
# | [arXiv 2606.08447](https://arxiv.org/abs/2606.08447) | one sleep after several tasks, in place of one after each: what was learned fades, but a late sleep still finds part of it | the mean input |
#
# The closed form of {doc}`what_a_sleep_does` says what to expect of the last: a sleep takes from each neuron the drive
# that the mean input gives it, which does not depend on how many tasks came before, but what the tasks in between have
# overwritten it cannot bring back.
#
# ## Sleep in name, with data of the past
#
# | work | what happens in the sleep | kept of the past |
# | --- | --- | --- |
# | [SIESTA, arXiv 2303.10725](https://arxiv.org/abs/2303.10725) | a bounded number of rehearsals of compressed features; awake, running class means | compressed features of images, class means |
# | [WSCL, arXiv 2401.08623](https://arxiv.org/abs/2401.08623) | rehearsal from a short-term and a long-term memory, then "dreams" on images of other data | images |
# | [SESLR, arXiv 2507.02901](https://arxiv.org/abs/2507.02901) | a spiking network rehearses stored spikes with noise added | one bit a feature of stored examples |
#
# These rehearse, so they belong beside {doc}`fig3_rehearsal` and not beside a sleep that keeps the mean input.
#
# ## Without images
#
# | work | classifier | kept of the past |
# | --- | --- | --- |
# | SLDA, in {doc}`without_sleep` | linear, shared covariance, on fixed features | class means, one covariance |
# | [van de Ven et al., arXiv 2104.10093](https://arxiv.org/abs/2104.10093) | a generative model for each class, the most likely class wins | one small network a class |
# | [FeCAM, arXiv 2309.14062](https://arxiv.org/abs/2309.14062) | Mahalanobis distance to class means, on fixed features | class means, a covariance a class |
# | [GACL, arXiv 2403.15706](https://arxiv.org/abs/2403.15706) | ridge regression in closed form, on fixed features | second moments of the features |
#
# None of them forgets, since sums over images do not depend on when each was seen. They need features that are fixed:
# pre-trained ones, or, on data sets as easy as these, the pixels or random projections of them. {doc}`without_sleep`
# tries three of the kind on the networks of this book.
#
# ## Why a sleep may weaken rather than replay
#
# That sleep scales down what synapses have gained by day is the hypothesis of synaptic homeostasis {cite}`tononi2003`.
# The sleep here does that with the opposite sign, by raising inhibition.

# %% tags=["parameters"]
profile = "full"  # smoke, ci or full
seeds = None  # number of networks; None: as the profile says

# %% tags=["hide-input"]
import numpy as np

from srclib import pages
from srclib.experiments import summary
from srclib.pages import figures
from srclib.verdicts import statistics

page = pages.open("after_the_paper", profile=profile, seeds=seeds, experiments="one_sleep")
records = page.records.by_run
once, never, always = (np.array(summary.final(records[run])) for run in ("src/one_sleep", "sequential", "src"))

# %% [markdown]
# ## One sleep after five tasks
#
# Tried here: MNIST as released, without any sleep but one of 15,000 steps after the last task, on the networks of
# {doc}`what_a_sleep_does`.

# %% tags=["hide-input"]
kind = {"alike": "as much as", "apart": "not the same as", "undecided": "perhaps as much as"}[
    statistics.likeness(once - always)
]
pages.say(
    f"{len(once)} networks end at {figures.spread(once)} %, {figures.change(once, never)} points from no sleep and "
    f"{figures.change(once, always)} from a sleep after every task (95 % intervals, paired by network). One late sleep "
    f"brings back {kind} five."
)

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
page.provenance("seeds 2")
