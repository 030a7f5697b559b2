"""Questions in, answers as frozen data out: forecast and comparison here, one folder for each further question."""
