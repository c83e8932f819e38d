"""A backtest as one HTML page with its pictures."""

from lpmanager.backtest.report.page.document import page_of

__all__ = ["page_of"]
