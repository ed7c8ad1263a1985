"""Admission of crowds: pages of joining as cached bytes, a queue before pages to be drawn, a throttle of code guesses.

* `handler` is the ASGI application of HTTP: shared pages, the short way through Django, Django itself for staff;
* `shared_pages` caches the pages of joining, which are the same for everybody of a workshop and a language;
* `doorway` caches what joining has to know of a workshop;
* `queue` limits how many requests are in work and wait; `retry_later_page` answers what comes beyond that;
* `code_guess_throttle` slows down an address that guesses codes.

Floods that no hall of people makes are limited by the proxy (`deploy/`).
"""
