"""Reads the mailboxes below a folder with Python's own email package, strictly,
and says as JSON what is in each message."""

import json
import mailbox
import pathlib
import sys
from email import message_from_binary_file, policy

messages = []
for box in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    for key in (maildir := mailbox.Maildir(box, create=False)).keys():
        with maildir.get_file(key) as file:
            # A defect, such as a header that is none, raises an error.
            message = message_from_binary_file(file, policy=policy.default.clone(raise_on_defect=True))
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        messages.append({
            "box": box.name,
            "type": message.get_content_type(),
            "header": {name: str(value) for name, value in message.items()},
            "names": message.keys(),
            "from": [str(a) for a in message["From"].addresses],
            "to": [str(a) for a in message["To"].addresses],
            "parts": [part.get_content_type() for part in message.iter_parts()],
            "text": text.get_content(),
            "html": html.get_content(),
        })
json.dump(messages, sys.stdout)
