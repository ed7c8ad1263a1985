"""Verbs of the people who prepare: programmes, questions, agendas, plans and workshops. Each is logged."""
