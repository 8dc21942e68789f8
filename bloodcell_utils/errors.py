"""The one family of errors that this package raises on purpose."""


class BloodcellError(Exception):
    """Something that the reader can mend; the message says what is wrong, where, and what to do next."""


class DataError(BloodcellError):
    """Images, archives or tables that are missing, damaged or not what they should be."""


class DownloadError(BloodcellError):
    """A download that did not arrive; the message lists the manual steps."""
