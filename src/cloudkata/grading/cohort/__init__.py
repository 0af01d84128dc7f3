"""A cohort: submissions taken in, each attempted apart from the others, and one result kept for each."""
