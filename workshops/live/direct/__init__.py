"""The fast path: what passes by the server's own way, in one place and behind one switch.

`lines` hands pictures to sockets, `hearing` takes what screens say from them, `doorstep` answers a crowd's first
looks. Each reaches into Daphne and Uvicorn where their public interface ends, so each looks first whether every part
is what it was written for, and leaves everything to the server where one is not. With LIVE_DIRECT=false the server
does all of it: that is the plain twin, which the tests hold to the same promises. Nothing outside this package but
`serve`, which starts those servers, knows their insides.
"""
