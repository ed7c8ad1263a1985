"""The load test and benchmark: thousands of phones, each a WebSocket, that vote once and verify their vote; or a
hundred groups that type at once; or a flash crowd that joins, or comes back.

Nothing else imports this package. Its parts, outermost first:

* `compare` runs several servers in turn and sets them side by side, `goals` says what that reaches, `report` prints,
* `trial` is one run against one server: join, launch, vote, count; `figures` judges it,
* `servers` starts server processes and measures their CPU and memory, `room` prepares a workshop and counts rows,
  `phones` is the client: a process each, so that the CPU time of each is measured separately,
* `joins_trial`, `opening`, `joiners`, `browser` are people who join, on this or an older checkout,
* `return_trial`, `comeback` are phones that reconnect to a server that was killed,
* `groups_trial`, `groups_room`, `typists` are the same for small groups; `notes` verifies the notes they wrote,
* `frames` is the WebSocket protocol,
* `reference` and `specimen` are baselines: the least work that a server can do, and the design of tutorials.
"""
