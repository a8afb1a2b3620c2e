# %% [markdown]
# # The map
#
# Every verdict of the book on one screen. Each mark is a link: in Table 1 to the page and row that show it, below to the
# claim's line. {doc}`verdicts` says what the marks mean.

# %% tags=["parameters"]
protocols = ["released", "described"]  # whose results are judged
executions = ""  # the log of executed notebooks, JSON lines; empty: none

# %% tags=["hide-input"]
import json
from pathlib import Path

import pandas as pd

from srclib import pages
from srclib.pages import maps, tables

of = pages.some_of(protocols, "released", "described", "tuned")
page = pages.open("status", protocols=of, executions=pages.file(executions))
judged = pd.concat([page.under(protocol).judged() for protocol in protocols])
claimed = pd.concat([page.under(protocol).claims() for protocol in protocols])
maps.legend()

# %% [markdown]
# **Table 1.** The first mark is the level, the second the effect against sequential training; under the released code
# (rele.) and under the text (desc.).

# %% tags=["hide-input"]
maps.table1(judged)

# %% [markdown]
# **Claims, by number.** The first mark is the verdict under the released code, the second that under the text.

# %% tags=["hide-input"]
maps.chips(claimed)

# %% [markdown]
# ## Every value

# %% tags=["hide-input"]
counts = judged["verdict"].value_counts()
pages.say(f"{len(judged)} values: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items()) + ".")

# %% tags=["hide-input"]
tables.folded("All values with their sources", tables.verdicts(judged, filtered=True))

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
