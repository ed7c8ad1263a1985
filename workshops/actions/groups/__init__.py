"""Commands of facilitators for breakout groups: create, ask, share, call back."""

from .create import make as make
from .create import move as move
from .create import name_group as name_group
from .run import answer_help as answer_help
from .run import call as call
from .run import close_round as close_round
from .run import free_scribe as free_scribe
from .run import give_prompts as give_prompts
from .run import open_round as open_round
from .run import recall as recall
from .run import share_notes as share_notes
from .share import agreement_poll as agreement_poll
from .share import present as present
from .share import propose as propose
