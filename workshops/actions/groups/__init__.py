"""What facilitators do with small groups: make them, ask them, listen to them, call them back."""

from .making import make as make
from .making import move as move
from .making import name_group as name_group
from .rounds import answer_help as answer_help
from .rounds import call as call
from .rounds import close_round as close_round
from .rounds import free_scribe as free_scribe
from .rounds import give_prompts as give_prompts
from .rounds import open_round as open_round
from .rounds import recall as recall
from .rounds import share as share
from .sharing import agreement_poll as agreement_poll
from .sharing import present as present
from .sharing import propose as propose
