"""The command `lpm`. One module for each group of verbs; none of them decides anything."""
