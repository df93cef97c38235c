"""What the console and the HTTP API ask the ledger: one file a question, each a function of a connection.

They return frozen values and know nothing of HTML or HTTP.
"""
