"""EPC libraries of others, to compare with.

epcpy 0.1.8 has escape sequences in plain strings, of which Python warns when it compiles them: the first import of a
fresh installation. Warnings are errors here, so that import is made where they are not.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", category=DeprecationWarning)  # SyntaxWarning from Python 3.12 on
    warnings.simplefilter("ignore", category=SyntaxWarning)
    from epcpy.utils.common import ConvertException
    from epcpy.utils.parsers import hex_to_tag_encodable

__all__ = ["ConvertException", "hex_to_tag_encodable"]
