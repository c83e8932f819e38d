"""Forecasts learned by boosted trees, used only while they beat the rules out of sample.

Need the extra `ml`.
"""
