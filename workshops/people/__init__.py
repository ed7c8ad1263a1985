"""Who is here and what they may: participants by a signed cookie, staff by invitation, access to every object."""
