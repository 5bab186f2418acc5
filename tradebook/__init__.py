"""The code behind the book “China, Russia and the Trade in High Technology”.

Small modules with plain names: `data` (load and describe tables), `economies` (codes and names), `bilateral` (the trade
of one pair), `indices` (trade indices), `gravity`, `forecast`, `claims` (statements of the sources and their verdicts),
`charts`, `tables` and `prose` (what a page shows).
"""

__version__ = "0.1.0"
