-- What a program gets for its API token by OAuth 2.0. It ends with the API token.
CREATE TABLE access_tokens (
    digest     BLOB PRIMARY KEY,
    token_id   TEXT NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX access_tokens_of_a_token ON access_tokens (token_id, expires_at);
