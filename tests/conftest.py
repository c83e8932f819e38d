"""How property tests run: without a deadline, because a busy machine is no bug.

Where CI is set, hypothesis chooses its own profile, which also repeats the same examples.
"""

from hypothesis import settings

if settings.get_current_profile_name() == "default":
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")
