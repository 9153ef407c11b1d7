"""Where logins are kept: one file for each place, whoever it belongs to."""
