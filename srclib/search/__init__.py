"""Searches for the parameters of a method, on training images held out.

The last images of every task are held out of training and scored in place of the test images: no search sees a test
image. Parameters are tried on several networks and task orders at once, so that they transfer to others, by Optuna's
genetic sampler (NSGA-II), TPE or at random.

A study says what is searched (`studies`, `parameters`). A trial is one try of some values, kept in a journal that
workers share (`trials`). A sleep is searched after each task by itself (`by_stage`), anything else by whole runs
(`whole_runs`), on a GPU many of them at once (`fleet`). Whoever conducts a study (`conduct`) writes its outcome
(`outcomes`): all trials, the best settings, and where they come from. A protocol takes these by the name of the study.
"""
