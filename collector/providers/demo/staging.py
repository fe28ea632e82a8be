"""Whether the demo market stages events: with none, what is told of it is told in error.

It is read where events are made, which are kept once made: a process sets it before it asks the market anything, as
``staging.STAGED = False`` after ``from collector.providers.demo import staging``. Dark and missing chains are faults of
a feed, not events, and stay.
"""

STAGED = True
