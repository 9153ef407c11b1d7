"""The neutral conversation: what every format is decoded into and encoded from.

It knows no format, does no IO, reads no clock and no settings. Everything is frozen, and every order is the
order of the client: the same history gives the same bytes.
"""
