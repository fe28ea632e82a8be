"""American options of the demo: rows of what they are worth by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.providers.demo.draws import FloatArray


@dataclass(frozen=True, slots=True)
class Options:
    """American options, one row each, shape (n,); times in years, prices in dollars a share.

    Attributes:
        escrowed: spot less the present value of the dividends before settlement.
        strike, tenor, rate, sigma, sign: as in pricing.black_76.
        time: shape (d, n), years to each ex-date before settlement, ascending; 0 for one that is over.
        amount: shape (d, n), dollars; 0 for one that is over.
    """

    escrowed: FloatArray
    strike: FloatArray
    tenor: FloatArray
    rate: FloatArray
    sigma: FloatArray
    sign: FloatArray
    time: FloatArray
    amount: FloatArray

    def of(self, rows: NDArray[np.bool_]) -> Options:
        """Return some of the options."""
        return Options(
            self.escrowed[rows],
            self.strike[rows],
            self.tenor[rows],
            self.rate[rows],
            self.sigma[rows],
            self.sign[rows],
            self.time[:, rows],
            self.amount[:, rows],
        )
