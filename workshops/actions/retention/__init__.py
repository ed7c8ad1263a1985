"""What is past its time is removed, by one nightly job (`manage.py apply_retention`).

`leftovers`, `removed`, `period` and `accounts` say what is due and from when, as `Due`; `job` removes it in small
transactions, and tells the owners of a programme what comes next.
"""
