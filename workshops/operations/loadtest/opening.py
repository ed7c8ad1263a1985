"""A running workshop with a question on stage, made in whatever checkout this text is given to.

Run by that checkout's `manage.py shell`, so it names only what has one name in all of them, and looks in several places
for what has moved. Prints the code of the workshop.
"""

from importlib import import_module
from importlib.util import find_spec

from workshops.actions import facilitation
from workshops.models import Programme

ROOMS = ("actions.authoring.workshops", "programmes.planning", "planning")  # the newest first


def is_there(room: str) -> bool:
    try:
        return find_spec(f"workshops.{room}") is not None
    except ModuleNotFoundError:
        return False


planning = import_module(f"workshops.{next(filter(is_there, ROOMS))}")
programme = Programme.objects.get(key="ideal-baby-room")
workshop = planning.plan_workshop(programme, programme.plans.get(), expected=200)
facilitation.start(workshop.pk, None)
agenda = workshop.agenda.filter(profile=False, poll__isnull=False).order_by("position")
asked = next(item for item in agenda if item.poll and item.poll.question.type == "single_choice")
facilitation.launch(workshop.pk, None, asked.pk)
print(f"code={workshop.code}")
