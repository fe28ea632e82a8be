"""chains/: what is known of each ticker, expiration and root, without the contracts."""

from __future__ import annotations

import orjson
from rest_framework.request import Request
from rest_framework.response import Response

from api.parameters import PAGE, TICKER
from api.schema import CONTRACT_LISTS, answers_list
from api.viewsets.documents import DocumentViewSet, answer_page, column_is, open_request

BY_TICKER = ("ticker", "expiration", "root")


class ChainViewSet(DocumentViewSet):
    """The newest usable chain of each ticker, expiration and root."""

    @answers_list("Chain", "Chains by ticker and expiration, without their contracts", (TICKER, *PAGE))
    def list(self, request: Request) -> Response:
        """Answer the chains that the filters leave; contracts are in options/{ticker}/snapshot/."""
        values, export = open_request(request, (TICKER, *PAGE))
        conditions = column_is("ticker", values["ticker"])
        return answer_page(request, export, values, "chains", BY_TICKER, *conditions, row=without_contracts)


def without_contracts(record: bytes) -> bytes:
    """Return a chain's record without calls and puts."""
    chain = orjson.loads(record)
    return orjson.dumps({name: value for name, value in chain.items() if name not in CONTRACT_LISTS})
