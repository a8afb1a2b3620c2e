# %% [markdown]
# # The paper, claim by claim
#
# Every claim of the paper that a number could bear out, with a verdict by the released code (`released`) and by the text
# (`described`). {doc}`verdicts` says what each verdict means and what it is worth; claims of one family are corrected
# together. Where a claim cannot be tested here, the line says why.

# %% tags=["parameters"]
protocols = ["released", "described"]  # by which the claims are judged

# %% tags=["hide-input"]
import pandas as pd

from srclib import pages
from srclib.pages import maps, tables

page = pages.open("claims", protocols=pages.some_of(protocols, "released", "described"))
judged = pd.concat([page.under(protocol).claims() for protocol in protocols])
counts = judged.groupby(["protocol", "verdict"]).size()
pages.say(
    "; ".join(
        f"**`{protocol}`**: " + ", ".join(f"{n} {verdict}" for verdict, n in counts[protocol].items())
        for protocol in protocols
    )
    + "."
)

# %% tags=["hide-input"]
maps.chips(judged)

# %% [markdown]
# ## Figure 1

# %% tags=["hide-input"]
tables.claims(judged[judged["family"] == "figure 1"])

# %% [markdown]
# ## Table 1

# %% tags=["hide-input"]
tables.claims(judged[judged["family"] == "table 1"])

# %% [markdown]
# ## Figure 3

# %% tags=["hide-input"]
tables.claims(judged[judged["family"] == "figure 3"])

# %% [markdown]
# ## Table 2 and supplement 7

# %% tags=["hide-input"]
tables.claims(judged[judged["family"] == "table 2 and supplement 7"])

# %% [markdown]
# ## Two tasks and figures 2 and 4

# %% tags=["hide-input"]
tables.claims(judged[judged["family"] == "two tasks and figures 2 and 4"])

# %% [markdown]
# ## Figures 5 and 6

# %% tags=["hide-input"]
tables.claims(judged[judged["family"] == "figures 5 and 6"])

# %% [markdown]
# ## Supplement and text

# %% tags=["hide-input"]
tables.claims(judged[judged["family"] == "supplement and text"])

# %% [markdown]
# ## Provenance

# %% tags=["hide-input"]
pages.say(
    "The verdicts rest on the committed results; `python -m srclib verdicts` prints them, `--json` with every interval, "
    "number of networks and p value. What each rests on is committed in `data/results/manifest.csv`."
)
