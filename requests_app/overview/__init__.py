"""How a team's requests are doing: figures that are counted beforehand, and read.

histogram.py   durations in bins that can be added up, and percentiles of them
tally.py       the figures of some requests: counted, added up, stored
counting.py    requests -> tallies
marks.py       what has to be counted anew; called by the lifecycle in the transaction of the change
rolling.py     the background: counts what is marked, closes hours and days, goes through the history
spans.py       pure: ranges of time, their bars, and which spans cover them
reading.py     the figures of a range, for a page and for the API
"""
