"""Many runs of scenarios under many conditions, a row of a table each."""
