"""What people see in pictures: blind pairs at equal bytes, their votes, and what these come to."""
