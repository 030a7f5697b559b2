"""Files of measurements in, predictions of the planner beside them out. One module for each kind of measurement."""
