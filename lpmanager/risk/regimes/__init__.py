"""Whether the market is calm, usual or turbulent, and when that changed.

`hysteresis` needs the standard library only, `markov` statsmodels, `change_points` ruptures and
`noticed_changes` river. Import the module that is needed.
"""
