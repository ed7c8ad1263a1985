"""A history checker in the manner of Jepsen: people vote and write in groups over real websockets while things go
wrong, everything that anybody did or saw is written down, and afterwards pure functions look for broken promises.

    python -m tests.history --seconds 600 --seed 7 --stack both

`record` what happened · `checker` which promises it breaks · `notes` those about small groups, read from `groups` ·
`clients` people with phones, consoles and a wall · `desks` what they do in their group · `pictures` what a screen says ·
`stacks` the server processes and what they stand on · `nemesis` what goes wrong · `programme` one seeded run ·
`mutations` faults of the product that a run must find, or it proves nothing.
"""
