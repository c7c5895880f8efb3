"""Resources: what the stages share: the home folder with its lock, the clock."""
