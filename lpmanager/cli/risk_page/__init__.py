"""The risk desk's answers as one HTML page with their pictures."""

from lpmanager.cli.risk_page.document import risk_page

__all__ = ["risk_page"]
