"""Builds the Debian package: the program with the libraries that it needs, for one release of Debian."""
