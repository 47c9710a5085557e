"""The table of lies, in four parts."""

import lies_in_logins
import lies_in_messages
import lies_in_rows
import lies_in_streams

LIES = [*lies_in_messages.LIES, *lies_in_rows.LIES, *lies_in_logins.LIES, *lies_in_streams.LIES]
