"""Long campaigns, commands of their own: `make campaigns`. The suite runs a small slice of each."""
