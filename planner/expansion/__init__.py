"""A workflow and crew sizes in; a `TaskGraph`, and the demands of its tasks for every sample, out."""
