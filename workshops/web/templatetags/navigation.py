"""`{% programme_link "results" programme.key %}`: the address of a programme's page that another app has registered."""

from django import template

from ...programmes import navigation

register = template.Library()
register.simple_tag(navigation.link, name="programme_link")
