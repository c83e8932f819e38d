"""A page of pictures and tables in one HTML file, for a browser without a network."""

from lpmanager.page.document import Document, document_html
from lpmanager.page.writing import require_writable, write_page

__all__ = ["Document", "document_html", "require_writable", "write_page"]
