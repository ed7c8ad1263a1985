"""The project's benchmark: thousands of phones, each a websocket, that vote once and check what became of it; or
a hundred small groups that all type at once; or more people than a server can take.

Nothing else imports this package. Its parts, outermost first:

* `compare` runs several servers in turn and sets them side by side, `goals` says what that reaches, `report` prints,
* `trial` is one run against one server: join, launch, vote, count; `figures` judges it,
* `servers` starts and weighs server processes, `room` prepares a workshop and counts rows, `phones` is the client:
  a process each, so that nobody's work is charged to another,
* `floods_trial`, `newcomers`, `doors`, `comeback` are a crowd at the door, and one that comes back,
* `groups_trial`, `groups_room`, `typists` are the same for small groups; `notes` says what became of what they wrote,
* `frames` is the wire,
* `reference` and `specimen` are servers to compare with: the least that can be done, and the tutorials' way.
"""
