"""Compare two runs of Starlette's or FastAPI's tests: ``python compare.py WITHOUT.json WITH.json``.

Prints how many of the tests that pass without the integration pass with it, and the reason for each that does
not. Fails for a test that is not listed here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PATCHED = "the test replaces a function of Starlette's that is not called, such as its parser of forms"
MESSAGE = "the message is asgiwire's, and says where the form is malformed"
CHARSET = "bytes that are not text in the declared charset are a 400, and never read as latin-1"
CONTENT_LENGTH = "an invalid Content-Length is a 400, and not ignored"
FIELD_SIZE = "max_part_size counts the name of a field too"
HEADER_SIZE = (
    "max_part_headers and max_part_header_size of Limits apply, not the defaults of python-multipart"
)
IMPLICIT_ACCEPT = "reading before accept() accepts the handshake instead of raising an error"

DIFFERENCES = {
    # Starlette
    "test_received_bytes_are_counted_with_unreliable_content_length": CONTENT_LENGTH,
    "test_missing_boundary_parameter": MESSAGE,
    "test_missing_name_parameter_on_content_disposition": MESSAGE,
    "test_multipart_boundary_exceeds_limit": MESSAGE,
    "test_multipart_headers_exceed_limit": HEADER_SIZE,
    "test_multipart_request_decodes_charset": CHARSET,
    "test_multipart_closes_tempfile_on_oserror": PATCHED,
    "test_multipart_request_large_file_rollover_in_background_thread": PATCHED,
    "test_multipart_request_resolves_charset_once": PATCHED,
    "test_duplicate_close": "a second close() does nothing instead of raising an error",
    "test_receive_before_accept": "client_state and application_state cannot be set",
    "test_receive_bytes_before_accept": IMPLICIT_ACCEPT,
    "test_receive_json_before_accept": IMPLICIT_ACCEPT,
    "test_receive_text_before_accept": IMPLICIT_ACCEPT,
    "test_send_response_duplicate_start": "the message of the RuntimeError is asgiwire's",
    # FastAPI
    "test_body_limit_counts_actual_bytes": CONTENT_LENGTH,
    "test_body_parsing_without_limit_preserves_existing_error_response": PATCHED,
    "test_depend_err_middleware": "an application cannot close with code 1006, which RFC 6455 reserves",
    "test_mounted_app_and_direct_route": FIELD_SIZE,
    "test_multipart_rejection_closes_temporary_files": PATCHED,
    "test_nested_and_reused_router_limits": FIELD_SIZE,
    "test_other_exceptions": PATCHED,
}


def main(without: Path, with_it: Path) -> int:
    """Print the comparison; return the exit status."""
    before: dict[str, bool] = json.loads(without.read_text())
    after: dict[str, bool] = json.loads(with_it.read_text())
    expected = [name for name, passed in before.items() if passed]
    different = [name for name in expected if not after.get(name, False)]
    sys.stdout.write(f"{len(expected) - len(different)}/{len(expected)} tests pass with the integration on\n")
    unknown = 0
    for name in different:
        function = name.rpartition("::")[2].partition("[")[0]
        reason = DIFFERENCES.get(function)
        unknown += reason is None
        sys.stdout.write(f"  {name}: {reason or 'NOT LISTED'}\n")
    return int(unknown > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
