"""What colleagues read and do in the inbox, for programs: a module for each matter."""
