# %% [markdown]
# # Status
#
# Every verdict of the book on what counts (for the nearest mean of exemplars, see {doc}`table2_icarl`), and when, where and how long every page ran. The verdicts compare the committed results of
# the profile `full` with the published values; {ref}`the four verdicts <verdicts>` are defined in the introduction.

# %% tags=["parameters"]
protocols = ["released", "described"]  # whose results are judged
executions = ""  # the log of executed notebooks, JSON lines; empty: none

# %% tags=["hide-input"]
import json
from pathlib import Path

import pandas as pd
from IPython.display import Markdown

from srclib import pages
from srclib.pages import tables

of = pages.some_of(protocols, "released", "described", "tuned")
page = pages.open("status", protocols=of, executions=pages.file(executions))
judged = pd.concat([page.under(protocol).judged() for protocol in protocols])
counts = judged["verdict"].value_counts()
Markdown(f"**{len(judged)} values judged**: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items()) + ".")

# %% [markdown]
# ## Verdicts

# %% tags=["hide-input"]
tables.verdicts(judged)

# %% [markdown]
# ## Results
#
# What the committed results hold, and what they cost.

# %% tags=["hide-input"]
rows = []
records = pd.DataFrame(page.store.records())
for name, group in records.groupby("experiment"):
    rows.append(
        {
            "experiment": name,
            "runs": len(group),
            "core-minutes": f"{group['seconds'].sum() / 60:.1f}",
            "computed": " to ".join(sorted({min(group["date"])[:10], max(group["date"])[:10]})),
            "on": "; ".join(sorted(set(group["device"]))),
            "commit": ", ".join(sorted({c[:10] for c in group["commit"]})),
        }
    )
tables.plain(rows)

# %% [markdown]
# ## Pages
#
# When, where and how long each notebook of this build ran, as many at once as there are cores.

# %% tags=["hide-input"]
log = [json.loads(line) for line in Path(executions).read_text().splitlines()] if executions else []
tables.plain(pd.DataFrame(log, columns=["notebook", "profile", "date", "seconds", "device"]), index=False)

# %% [markdown]
# A page is quick when the store holds its results. Computing them from nothing takes the core-minutes above:
#
# ```bash
# nox -s book -- --profile ci --fresh
# ```
