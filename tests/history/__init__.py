"""A history checker in the manner of Jepsen: people vote by real websockets while things go wrong, everything that
anybody did or saw is written down, and afterwards a pure function looks for promises that were broken.

    python -m tests.history --seconds 600 --seed 7 --stack both

`record` what happened · `checker` which promises it breaks · `clients` people with phones, consoles and a wall ·
`stacks` the server processes and what they stand on · `nemesis` what goes wrong · `programme` one seeded run ·
`mutations` faults of the product that a run must find, or it proves nothing.
"""
