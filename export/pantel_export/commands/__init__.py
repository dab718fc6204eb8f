"""The commands of the workshop, by what they work on."""
