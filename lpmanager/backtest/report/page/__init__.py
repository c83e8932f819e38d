"""A backtest as one HTML page with its pictures, for a browser without a network."""

from lpmanager.backtest.report.page.document import page_of
from lpmanager.backtest.report.page.writing import require_writable, write_page

__all__ = ["page_of", "require_writable", "write_page"]
