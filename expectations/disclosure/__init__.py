"""Statistical confidentiality: what may be told so that nobody can work out a small count.

Belongs here: the declaration of tables, the population behind them, primary rules, suppression, the
attacker and the verifier. Pure Python on numpy, scipy.sparse and HiGHS; docs/confidentiality.md says
what the reader is taken to know and what is guaranteed.
Does not belong here: Dagster, dbt, where tables come from and where they go.

`suppress` and `attack` share only `declaration`, `tables` and `population`, never each other's code:
a mistake in one must not be repeated by the other.
"""
