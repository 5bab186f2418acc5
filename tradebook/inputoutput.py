"""Whose value added is in an economy's exports? Input–output accounting of trade.

A world input–output table says what every industry of every economy delivers to every industry and
final user. With input coefficients A (inputs per unit of output), value-added coefficients
v = 1 - (column sums of A) and the Leontief inverse B = (I - A)^-1, one unit of final or exported
goods contains v B of value added, wherever it arose. The columns of v B add up to one, so gross
exports are split without remainder.

Notation: s is the exporter, E_s its exports by industry, L_s = (I - A_ss)^-1 the Leontief inverse of
its *domestic* inputs alone.

============================  ===================================================================
function                      what it computes
============================  ===================================================================
`leontief_inverse`            (I - A)^-1
`value_added_in_exports`      domestic value added v_s L_s E_s, value added counted twice
                              v_s (B_ss - L_s) E_s, foreign content Σ_t≠s v_t B_ts E_s; by industry
`origin_of_exports`           v_t B_ts E_s by economy t: whose value added the exports contain
`vertical_specialisation`     u A^M L_s E_s: imported inputs in exports (Hummels, Ishii and Yi 2001)
`lowest_domestic_share`       a lower bound when exports are assembled apart from home sales
`koopman_wang_wei`            nine terms of gross exports (Koopman, Wang and Wei 2014, equation 36)
============================  ===================================================================

Value added here is output minus intermediate inputs at basic prices. It therefore holds taxes less
subsidies on inputs and the cost of international transport, a few per cent of output.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.linalg import lu_factor, lu_solve
from threadpoolctl import threadpool_limits

from tradebook.errors import TradebookError

__all__ = [
    "InputOutputError", "WorldTable", "koopman_wang_wei", "leontief_inverse",
    "lowest_domestic_share", "origin_of_exports", "value_added_in_exports",
    "vertical_specialisation", "world_table",
]  # fmt: skip


class InputOutputError(TradebookError):
    """The input–output table is not one, or does not have the economy or industry asked for."""


@dataclass(frozen=True)
class WorldTable:
    """A world input–output table of one year.

    Attributes
    ----------
    economies, industries : tuple of str
        G economies and N industries; rows run over industries within economies.
    inputs : array (G N, G N)
        Deliveries to industries, million US dollars.
    final : array (G N, G)
        Deliveries to final users of each economy, million US dollars.
    """

    economies: tuple[str, ...]
    industries: tuple[str, ...]
    inputs: np.ndarray
    final: np.ndarray

    @cached_property
    def output(self) -> np.ndarray:
        """Output by economy and industry: the sum of all deliveries."""
        return self.inputs.sum(axis=1) + self.final.sum(axis=1)

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Input coefficients A: inputs per unit of output; zero where there is no output."""
        output = self.output
        safe = np.where(output > 0, output, 1.0)
        return np.where(output > 0, self.inputs / safe, 0.0)

    @cached_property
    def value_added(self) -> np.ndarray:
        """Value added per unit of output, v = 1 - u A."""
        return 1.0 - self.coefficients.sum(axis=0)

    @cached_property
    def _factors(self) -> tuple:
        # One thread: the same digits on every machine, and no fight over two cores.
        with threadpool_limits(1):
            return lu_factor(np.eye(len(self.output)) - self.coefficients, check_finite=False)

    def multipliers(self, rows: np.ndarray) -> np.ndarray:
        """Row vectors times the Leontief inverse, without forming the inverse."""
        return lu_solve(self._factors, rows.T, trans=1, check_finite=False).T

    def block(self, economy: str) -> slice:
        """Rows (or columns) of one economy."""
        if economy not in self.economies:
            raise InputOutputError(
                f"The input–output table has no {economy}; choose one of {', '.join(self.economies)}."
            )
        size = len(self.industries)
        start = self.economies.index(economy) * size
        return slice(start, start + size)

    def exports(self, economy: str) -> np.ndarray:
        """Exports of one economy by industry: deliveries to all others, million US dollars."""
        own = self.block(economy)
        place = self.economies.index(economy)
        return self.output[own] - self.inputs[own, own].sum(axis=1) - self.final[own, place]

    def domestic_inverse(self, economy: str) -> np.ndarray:
        """L_s = (I - A_ss)^-1."""
        own = self.block(economy)
        return leontief_inverse(self.coefficients[own, own])


def world_table(flows: pd.DataFrame, *, industries: list[str], value: str = "value_musd") -> WorldTable:
    """Arrange the deliveries of one year as a table.

    Parameters
    ----------
    flows : DataFrame
        Columns `exporter`, `industry`, `importer`, `use` and `value`; a use that is not among
        `industries` is a final use. Cells without a row are zero.
    industries : list of str
        Codes of the industries, in their order.

    Raises
    ------
    InputOutputError
        If an industry that delivers is not listed, or there is no row.
    """
    if flows.empty:
        raise InputOutputError("There are no deliveries: choose a year that the table covers.")
    economies = sorted(set(flows["exporter"].unique()) | set(flows["importer"].unique()))
    place = {code: i for i, code in enumerate(economies)}
    rank = {code: i for i, code in enumerate(industries)}
    seller = _codes(flows["exporter"], place)
    buyer = _codes(flows["importer"], place)
    industry = _codes(flows["industry"], rank)
    use = _codes(flows["use"], rank)
    if (industry < 0).any():
        unknown = flows["industry"][industry < 0].iloc[0]
        raise InputOutputError(f"Industry {unknown} delivers but is not listed: add it to industries.")
    size, many = len(industries), len(economies)
    amounts = flows[value].to_numpy(dtype=float)
    row = seller * size + industry
    inside = use >= 0
    inputs = np.zeros((many * size, many * size))
    np.add.at(inputs, (row[inside], buyer[inside] * size + use[inside]), amounts[inside])
    final = np.zeros((many * size, many))
    np.add.at(final, (row[~inside], buyer[~inside]), amounts[~inside])
    return WorldTable(tuple(economies), tuple(industries), inputs, final)


def _codes(column: pd.Series, places: dict[str, int]) -> np.ndarray:
    """Positions of the codes; -1 for a code without a place."""
    column = column.astype("category")
    known = np.array([places.get(code, -1) for code in column.cat.categories])
    return known[column.cat.codes.to_numpy()]


def leontief_inverse(coefficients: np.ndarray) -> np.ndarray:
    """B = (I - A)^-1: output needed, directly and indirectly, per unit of final use.

    Raises
    ------
    InputOutputError
        If A is not square, or an industry and its suppliers use up more than they make (a spectral
        radius of one or more), so that no output satisfies final use.

    Source: Leontief (1936); Miller and Blair (2009), chapter 2.
    """
    coefficients = np.asarray(coefficients, dtype=float)
    if coefficients.ndim != 2 or coefficients.shape[0] != coefficients.shape[1]:
        raise InputOutputError("Input coefficients must be a square matrix: industries by industries.")
    if np.abs(np.linalg.eigvals(coefficients)).max(initial=0.0) >= 1:
        raise InputOutputError(
            "The industries use up all they make: check that the coefficients are inputs per unit of output."
        )
    return np.linalg.inv(np.eye(len(coefficients)) - coefficients)


def value_added_in_exports(table: WorldTable, economy: str) -> pd.DataFrame:
    """Split an economy's gross exports by industry into domestic and foreign content.

    Returns
    -------
    DataFrame
        Indexed by industry, million US dollars: `exports`; `domestic`, v_s L_s E_s, the value added
        (GDP) that would be gone without the exports; `double_counted`, v_s (B_ss - L_s) E_s,
        domestic value added that left, came back in imports and leaves once more; `foreign`,
        Σ_t≠s v_t B_ts E_s. The last three add up to the first.

    Source: Los, Timmer and de Vries (2016), equation 4, for `domestic`; Koopman, Wang and Wei (2014).
    """
    own = table.block(economy)
    exports = table.exports(economy)
    mine = np.zeros_like(table.value_added)
    mine[own] = table.value_added[own]
    rest = table.value_added - mine
    with_world = table.multipliers(np.vstack([mine, rest]))[:, own]
    at_home = table.value_added[own] @ table.domestic_inverse(economy)
    return pd.DataFrame(
        {
            "exports": exports,
            "domestic": at_home * exports,
            "double_counted": (with_world[0] - at_home) * exports,
            "foreign": with_world[1] * exports,
        },
        index=pd.Index(table.industries, name="industry"),
    )


def origin_of_exports(table: WorldTable, economy: str, industries: list[str] | None = None) -> pd.Series:
    """Whose value added an economy's exports contain: v_t B_ts E_s for each economy t.

    Parameters
    ----------
    industries : list of str, optional
        Only the exports of these industries; by default all.

    Returns
    -------
    Series
        Indexed by economy, million US dollars; it adds up to the exports.

    Raises
    ------
    InputOutputError
        If the economy or an industry is not in the table.
    """
    own = table.block(economy)
    unknown = [code for code in industries or [] if code not in table.industries]
    if unknown:
        raise InputOutputError(f"The table has no industry {unknown[0]}; choose among {', '.join(table.industries)}.")
    chosen = [industries is None or code in industries for code in table.industries]
    demand = np.zeros(len(table.output))
    demand[own] = np.where(chosen, table.exports(economy), 0.0)
    needed = lu_solve(table._factors, demand, check_finite=False)
    by_origin = (table.value_added * needed).reshape(len(table.economies), -1).sum(axis=1)
    return pd.Series(by_origin, index=pd.Index(table.economies, name="economy"), name="value_musd")


def vertical_specialisation(table: WorldTable, economy: str) -> pd.Series:
    """Imported inputs in an economy's exports by industry, VS = u A^M L_s E_s, million US dollars.

    All imported inputs count as foreign, also the domestic value added that comes back in them, so VS
    is not below the foreign content of `value_added_in_exports`; and VS + v_s L_s E_s = E_s.

    Source: Hummels, Ishii and Yi (2001), equation 3.
    """
    own = table.block(economy)
    imported = table.coefficients[:, own].sum(axis=0) - table.coefficients[own, own].sum(axis=0)
    share = imported @ table.domestic_inverse(economy)
    index = pd.Index(table.industries, name="industry")
    return pd.Series(share * table.exports(economy), index=index, name="value_musd")


def lowest_domestic_share(table: WorldTable, economy: str, industry: str) -> float:
    """Least share of domestic value added in an industry's exports that its purchases allow.

    The table knows one set of inputs per industry. If exports are assembled from imported parts and
    goods for the home market are not, they hold more foreign value than the average. At worst every
    imported input that the industry buys goes into its exports, and none into what it sells at home:

    1 - (VS_j / E_j + m_j (X_j / E_j - 1)), not below zero,

    with m_j the industry's own imported inputs per unit of output X_j. Imported inputs of its domestic
    suppliers stay at their average, so this bounds the industry's own sorting, not that of the whole
    economy.

    Returns
    -------
    float
        A share between 0 and 1.

    Raises
    ------
    InputOutputError
        If the economy or industry is not in the table, or the industry exports nothing.
    """
    if industry not in table.industries:
        raise InputOutputError(f"The table has no industry {industry}; see its list of industries.")
    place = table.industries.index(industry)
    own = table.block(economy)
    exports = table.exports(economy)[place]
    if not exports > 0:
        raise InputOutputError(f"{economy} exports nothing of industry {industry}: choose another.")
    column = table.coefficients[:, own.start + place]
    imported = column.sum() - column[own].sum()
    average = vertical_specialisation(table, economy).iloc[place] / exports
    extra = imported * (table.output[own][place] / exports - 1)
    return float(max(0.0, 1 - average - extra))


#: What each term of `koopman_wang_wei` is, numbered as in their paper.
KOOPMAN_WANG_WEI_TERMS = {
    "final_goods": "1 domestic, in final goods",
    "inputs_absorbed": "2 domestic, in inputs used by the buyer",
    "inputs_re_exported": "3 domestic, in inputs that travel on",
    "returned_final": "4 domestic, back home in final goods",
    "returned_inputs": "5 domestic, back home in inputs",
    "domestic_double": "6 domestic, counted twice",
    "foreign_final": "7 foreign, in final goods",
    "foreign_inputs": "8 foreign, in inputs",
    "foreign_double": "9 foreign, counted twice",
}


def koopman_wang_wei(table: WorldTable, economy: str) -> pd.Series:
    """Nine terms of an economy's gross exports, million US dollars; they add up to them exactly.

    Returns
    -------
    Series
        Domestic value added absorbed abroad: `final_goods` (1), `inputs_absorbed` by the direct
        importer (2), `inputs_re_exported` to third economies (3). Domestic value added that comes
        home in final goods: `returned_final` (4), and in inputs: `returned_inputs` (5).
        `domestic_double` (6), counted twice. Foreign value added in final goods: `foreign_final` (7),
        and in inputs: `foreign_inputs` (8); `foreign_double` (9), counted twice.

    Source: Koopman, Wang and Wei (2014), equation 36. Terms 1–6 are v_s B_ss E_s, terms 7–9 the
    foreign content. Later work (Miroudot and Ye 2017; Borin and Mancini 2019) shows that the border
    between terms 7–8 and 9 is a convention; their sum is not.
    """
    own = table.block(economy)
    place = table.economies.index(economy)
    a, final = table.coefficients, table.final
    exports = {code: table.exports(code) for code in table.economies}
    mine = np.zeros_like(table.value_added)
    mine[own] = table.value_added[own]
    # Domestic and foreign value added per unit of final use of every industry's goods: v_s B, v_-s B.
    home, foreign = table.multipliers(np.vstack([mine, table.value_added - mine]))
    terms = np.zeros(9)
    terms[0] = home[own] @ (final[own].sum(axis=1) - final[own, place])
    terms[6] = foreign[own] @ (final[own].sum(axis=1) - final[own, place])
    back = table.domestic_inverse(economy)
    for r, partner in enumerate(table.economies):
        if r == place:
            continue
        there = table.block(partner)
        others = final[there].sum(axis=1) - final[there, r] - final[there, place]
        terms[1] += home[there] @ final[there, r]
        terms[2] += home[there] @ others
        terms[3] += home[there] @ final[there, place]
        returning = home[there] @ a[there, own] @ back
        terms[4] += returning @ final[own, place]
        terms[5] += returning @ exports[economy]
        inputs = foreign[own] @ a[own, there] @ table.domestic_inverse(partner)
        terms[7] += inputs @ final[there, r]
        terms[8] += inputs @ exports[partner]
    names = [
        "final_goods", "inputs_absorbed", "inputs_re_exported", "returned_final", "returned_inputs",
        "domestic_double", "foreign_final", "foreign_inputs", "foreign_double",
    ]  # fmt: skip
    return pd.Series(terms, index=pd.Index(names, name="term"), name="value_musd")
