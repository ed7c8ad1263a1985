"""Raw sockets: frames past the server's own parser and framing, each guarded, with the server's own way as its twin.

`send` hands pictures to sockets, `receive` takes what screens say from them. This reaches into Daphne and Uvicorn
where their public interface ends, so LIVE_RAW_SOCKETS=false sends and reads through the server instead.
"""
